module skiff.example/goguest

go 1.24
