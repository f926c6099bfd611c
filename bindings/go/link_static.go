//go:build gigachat_static

package gigachat

// #cgo pkg-config: --static gigachat
// #cgo LDFLAGS: -static-libgcc
import "C"
