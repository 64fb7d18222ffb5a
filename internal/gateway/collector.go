package gateway

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapFloor is how large the heap may grow before garbage is collected. A gateway's own heap is small, so Go's default would collect
// every few hundred requests, and each time look at and shrink the stacks of all connections.
const heapFloor = 32 << 20

// collectLess keeps the collector from running before the heap has reached the floor; above it Go's default holds. What the operator
// sets in the environment is left alone: GOGC by not being called, GOMEMLIMIT because a limit wins over any percentage.
func collectLess(floor uint64) {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	adjust := func() {
		metrics.Read(sample)
		debug.SetGCPercent(collectAt(sample[0].Value.Uint64(), floor))
	}
	adjust()
	afterEachCollection(adjust)
}

// collectAt is the percentage by which a heap grows to the floor, or Go's default when that is more.
func collectAt(live, floor uint64) int {
	const usual = 100
	live = max(live, 1<<20)
	if live*2 >= floor {
		return usual
	}
	return int(min((floor-live)*100/live, math.MaxInt32))
}

// afterEachCollection calls do: what nobody holds is found by the next collection.
func afterEachCollection(do func()) {
	type canary struct{ _ *byte }
	runtime.SetFinalizer(&canary{new(byte)}, func(*canary) {
		do()
		afterEachCollection(do)
	})
}
