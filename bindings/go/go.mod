module github.com/libgigachat/libgigachat/bindings/go

go 1.23
