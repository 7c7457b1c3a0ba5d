/**
 * child: the process of one measurement. Its argument is a MeasurementSpec, its output a Measurement, both as JSON; status 1
 * and a message on stderr if anything that was read was wrong.
 */
import { crash, type MeasurementSpec, measure } from './measurement.ts'

const spec = JSON.parse(process.argv[2]) as MeasurementSpec
if (spec.step === 'crash') {
  await crash(spec)
  // Without closing: that is the point.
  process.exit(0)
}
console.log(JSON.stringify(await measure(spec)))
