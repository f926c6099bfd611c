package gigachat

// #include <gigachat.h>
import "C"

import (
	"context"
	"os"
	"sync"
	"syscall"
	"time"
)

// completions is the process's one completion queue. A goroutine takes its tags, waiting on the queue's
// descriptor in Go's netpoller, so that no thread is blocked in C while calls run.
var completions struct {
	once    sync.Once
	err     error
	handle  *C.gigachat_queue
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan struct{}
}

// ticket is a place at the queue: a tag, and the channel that is written when the tag comes.
type ticket struct {
	tag  uint64
	done chan struct{}
}

func newTicket() (*ticket, error) {
	completions.once.Do(openQueue)
	if completions.err != nil {
		return nil, completions.err
	}
	completions.mu.Lock()
	defer completions.mu.Unlock()
	completions.last++
	t := &ticket{completions.last, make(chan struct{}, 1)}
	completions.waiting[t.tag] = t.done
	return t, nil
}

// close gives the place up; a tag that comes later is for nobody.
func (t *ticket) close() {
	completions.mu.Lock()
	delete(completions.waiting, t.tag)
	completions.mu.Unlock()
}

// wait returns when the tag has come. A context that ends first calls cancel, which makes it come.
func (t *ticket) wait(ctx context.Context, cancel func()) {
	select {
	case <-t.done:
	case <-ctx.Done():
		cancel()
		<-t.done
	}
}

func openQueue() {
	var e *C.gigachat_error
	if s := C.gigachat_queue_new(&completions.handle, &e); s != C.GIGACHAT_OK {
		completions.err = failed(s, e)
		return
	}
	completions.waiting = map[uint64]chan struct{}{}
	go takeTags()
}

func takeTags() {
	for conn := descriptor(); conn != nil; {
		if conn.Read(func(uintptr) bool { return takeOnce(0) }) != nil {
			break
		}
	}
	// Without a descriptor that the netpoller knows, a thread waits.
	for {
		if !takeOnce(1000) {
			time.Sleep(time.Millisecond) // a queue that can't be waited on must not spin
		}
	}
}

// descriptor is the queue's descriptor in the netpoller; nil where that can't be had.
func descriptor() syscall.RawConn {
	var fd C.int64_t
	if C.gigachat_queue_descriptor(completions.handle, &fd, nil) != C.GIGACHAT_OK {
		return nil
	}
	// os.File closes what it holds.
	own, err := syscall.Dup(int(fd))
	if err != nil {
		return nil
	}
	syscall.CloseOnExec(own)
	if syscall.SetNonblock(own, true) != nil {
		return nil
	}
	conn, err := os.NewFile(uintptr(own), "gigachat").SyscallConn()
	if err != nil {
		return nil
	}
	return conn
}

// takeOnce takes what is there, and says whether there was something.
func takeOnce(timeoutMS int64) bool {
	var tags [256]C.uint64_t
	var n C.size_t
	s := C.gigachat_queue_take(completions.handle, C.int64_t(timeoutMS), &tags[0], C.size_t(len(tags)), &n, nil)
	if s != C.GIGACHAT_OK {
		return false
	}
	completions.mu.Lock()
	defer completions.mu.Unlock()
	for _, tag := range tags[:n] {
		if done := completions.waiting[uint64(tag)]; done != nil {
			select {
			case done <- struct{}{}:
			default: // the reader has not yet come for the last one
			}
		}
	}
	return n > 0
}
