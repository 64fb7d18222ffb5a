package gateway

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// gcFloor is the heap size below which the garbage collector does not run. The heap of a gateway is small: with Go's
// default it would be collected every few hundred requests, and each time the stacks of all connections are scanned and
// shrunk.
const gcFloor = 32 << 20

// setGCFloor lets the heap grow to the floor before it is collected; above the floor Go's default holds. It is not
// called if the operator sets GOGC; a GOMEMLIMIT holds in any case.
func setGCFloor(floor uint64) {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	adjust := func() {
		metrics.Read(sample)
		debug.SetGCPercent(gcPercent(sample[0].Value.Uint64(), floor))
	}
	adjust()
	afterEachGC(adjust)
}

// gcPercent returns the percentage by which a heap grows to the floor, or Go's default if that is more.
func gcPercent(live, floor uint64) int {
	const standard = 100
	live = max(live, 1<<20)
	if live*2 >= floor {
		return standard
	}
	return int(min((floor-live)*100/live, math.MaxInt32))
}

// afterEachGC calls do after each collection, which finalizes an object that nothing refers to.
func afterEachGC(do func()) {
	type canary struct{ _ *byte }
	runtime.SetFinalizer(&canary{new(byte)}, func(*canary) {
		do()
		afterEachGC(do)
	})
}
