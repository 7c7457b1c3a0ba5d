module varve.example/conformance

go 1.19
