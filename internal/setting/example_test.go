package setting_test

import (
	"fmt"
	"time"

	"github.com/hubgate/hubgate/internal/setting"
)

// A Config struct has fields of these types. The loader gives each the text of its YAML value.
func Example() {
	var config struct {
		IdleTimeout setting.DurationOrNone
		MaxBody     setting.Size
	}
	fmt.Println(config.IdleTimeout.SetWord("12h"), config.IdleTimeout, config.IdleTimeout.D() == 12*time.Hour)
	fmt.Println(config.IdleTimeout.SetWord("off"), config.IdleTimeout)
	fmt.Println(config.MaxBody.SetWord("10MiB"), int64(config.MaxBody))
	fmt.Println(config.IdleTimeout.SetWord("30"))
	// Output:
	// <nil> 12h true
	// <nil> none
	// <nil> 10485760
	// "30" is not a duration; add a unit: write 30s, 30m, 30h or 30d
}
