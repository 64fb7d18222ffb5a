package faultproxy

import (
	"net"
	"time"
)

// garbage is a response of another protocol.
const garbage = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n\x00\xff"

// copyWithFaults copies until one side ends. It reads the fault before each chunk, so that a fault also affects open
// connections.
func (p *Proxy) copyWithFaults(to, from net.Conn, response bool) {
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && !p.forward(to, buffer[:n], response) {
			return
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) forward(to net.Conn, piece []byte, response bool) bool {
	f := p.fault.Load()
	switch {
	case f.Hang, f.HalfOpen && response:
		return true
	case !response:
		return write(to, piece)
	case f.Garbage:
		return write(to, []byte(garbage))
	}
	size := len(piece)
	if f.PerChunk > 0 {
		size = f.PerChunk
	}
	for len(piece) > 0 {
		select {
		case <-time.After(f.Delay):
		case <-p.done:
			return false
		}
		n := min(size, len(piece))
		if !write(to, piece[:n]) {
			return false
		}
		piece = piece[n:]
	}
	return true
}

func write(to net.Conn, piece []byte) bool {
	_, err := to.Write(piece)
	return err == nil
}
