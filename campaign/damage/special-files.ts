import type { CampaignContext } from '../campaign.ts'
export async function damageRealFiles(_: CampaignContext): Promise<void> {}
