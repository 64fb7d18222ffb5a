package dependency

import "time"

// SetUp records whether a dependency is up, as hubgate's own probe of it found: what a visitor's call met decides
// nothing.
func (m *Metrics) SetUp(name Name, ok bool, detail string) {
	last := m.state[name].Load()
	if last.Known && last.OK == ok && last.Detail == detail {
		return
	}
	since := time.Now()
	if last.Known && last.OK == ok {
		since = last.Since
	}
	m.state[name].Store(&Health{OK: ok, Known: true, Since: since, Detail: detail})
	up := 0.0
	if ok {
		up = 1
	}
	m.up.WithLabelValues(string(name)).Set(up)
}
