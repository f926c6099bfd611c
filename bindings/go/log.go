package gigachat

/*
#include <gigachat.h>

void gigachatGoLog(gigachat_log_level, char *, char *);

static void gigachat_go_log(void *data, gigachat_log_level level, const char *target, const char *message) {
    (void)data;
    gigachatGoLog(level, (char *)target, (char *)message);
}
static inline gigachat_status gigachat_go_set_log(gigachat_log_level level, gigachat_error **error) {
    return gigachat_set_log_callback(level, gigachat_go_log, NULL, NULL, error);
}
*/
import "C"

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// LevelTrace is below slog's levels: everything the library says.
const LevelTrace = slog.Level(-8)

var logger atomic.Pointer[slog.Logger]

// SetLogger sends the library's records of this level and above to a logger, for the whole process; nil
// ends that. Secrets never occur in records; prompts and answers only if the options ask for it.
func SetLogger(to *slog.Logger, level slog.Level) error {
	logger.Store(to)
	wanted := C.gigachat_log_level(C.GIGACHAT_LOG_OFF)
	if to != nil {
		wanted = logLevel(level)
	}
	var e *C.gigachat_error
	if s := C.gigachat_go_set_log(wanted, &e); s != C.GIGACHAT_OK {
		return failed(s, e)
	}
	return nil
}

func logLevel(level slog.Level) C.gigachat_log_level {
	switch {
	case level >= slog.LevelError:
		return C.GIGACHAT_LOG_ERROR
	case level >= slog.LevelWarn:
		return C.GIGACHAT_LOG_WARN
	case level >= slog.LevelInfo:
		return C.GIGACHAT_LOG_INFO
	case level >= slog.LevelDebug:
		return C.GIGACHAT_LOG_DEBUG
	}
	return C.GIGACHAT_LOG_TRACE
}

//export gigachatGoLog
func gigachatGoLog(level C.gigachat_log_level, target, message *C.char) {
	to := logger.Load()
	if to == nil {
		return
	}
	levels := map[C.gigachat_log_level]slog.Level{
		C.GIGACHAT_LOG_ERROR: slog.LevelError, C.GIGACHAT_LOG_WARN: slog.LevelWarn,
		C.GIGACHAT_LOG_INFO: slog.LevelInfo, C.GIGACHAT_LOG_DEBUG: slog.LevelDebug,
	}
	at, known := levels[level]
	if !known {
		at = LevelTrace
	}
	to.Log(context.Background(), at, C.GoString(message), "target", C.GoString(target))
}
