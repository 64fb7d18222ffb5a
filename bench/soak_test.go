package main

import (
	"strings"
	"testing"
)

func TestSoakReportsGrowth(t *testing.T) {
	t.Parallel()
	run := func(heap, goroutines func(i int) float64) error {
		var samples []sample
		for i := range 300 {
			samples = append(samples, sample{heap(i), goroutines(i), 90})
		}
		return checkGrowth(samples)
	}
	saw := func(i int) float64 { return 10<<20 + float64(i%20)*(1<<20) } // with collections
	still := func(int) float64 { return 100 }
	leak := func(i int) float64 { return saw(i) + float64(i)*50_000 }
	more := func(i int) float64 { return 100 + float64(i) }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"nothing":    {run(saw, still), ""},
		"warming up": {run(func(i int) float64 { return saw(i) + float64(min(i, 90))*50_000 }, still), ""},
		"heap":       {run(leak, still), "go_memstats_heap_alloc_bytes"},
		"goroutines": {run(saw, more), "go_goroutines"},
		"both":       {run(leak, more), "go_memstats_heap_alloc_bytes, go_goroutines"},
		"too short":  {checkGrowth(make([]sample, 20)), "too short"},
	} {
		if got := c.err; (got == nil) != (c.want == "") || got != nil && !strings.Contains(got.Error(), c.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}
