package gigachat

// #include <gigachat.h>
import "C"

import "unsafe"

// chars lends a Go string to a C function for the time of the call: the library copies what it keeps.
func chars(s string) (*C.char, C.size_t) {
	if s == "" {
		return nil, 0
	}
	return (*C.char)(unsafe.Pointer(unsafe.StringData(s))), C.size_t(len(s))
}

// lent copies a text that a handle lends; empty when there is none.
func lent(get func(*C.size_t) *C.char) string {
	var length C.size_t
	text := get(&length)
	if text == nil {
		return ""
	}
	return C.GoStringN(text, C.int(length))
}

// owned copies a text that was given to us, and frees it.
func owned(text *C.gigachat_text) string {
	defer C.gigachat_text_free(text)
	return lent(func(n *C.size_t) *C.char { return C.gigachat_text_data(text, n) })
}
