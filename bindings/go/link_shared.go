//go:build !gigachat_static

package gigachat

// #cgo pkg-config: gigachat
import "C"
