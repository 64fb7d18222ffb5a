package command

import "bufio"

// ReadLine reads a line that a person types. A read of a terminal does not end with the context, so that Ctrl-C would
// have no effect at a question: ReadLine returns without waiting for it, and it ends with the process.
func (e *Env) ReadLine(in *bufio.Reader) (string, error) {
	type answer struct {
		line string
		err  error
	}
	typed := make(chan answer, 1)
	go func() {
		line, err := in.ReadString('\n')
		typed <- answer{line, err}
	}()
	select {
	case a := <-typed:
		return a.line, a.err
	case <-e.Ctx.Done():
		Fprintln(e.Stderr, "") // the message begins on a line of its own
		return "", e.Ctx.Err()
	}
}
