// Package gigachat talks to GigaChat, Sber's LLM service, through libgigachat.
//
// A [Client] is made from [Options] or from the GIGACHAT_* environment variables. Share it between
// goroutines: it keeps connections, the access token and the permits of its credential.
//
//	client, err := gigachat.FromEnv(nil)
//	if err != nil { ... }
//	defer client.Close()
//	answer, err := client.Generate(ctx, "What is Go?")
//
// Every call takes a context. When it ends, the call is cancelled at once, the service sees its request
// go, and the error wraps the context's cause. Errors are [*Error] values with everything that is known
// of the failure; test their kind with errors.Is and the Err variables.
//
// The package links the shared library by pkg-config. With the build tag gigachat_static it links the
// static one, and the program is a single file.
package gigachat
