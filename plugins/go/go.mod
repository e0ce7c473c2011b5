module skiff.example/plugins

go 1.24
