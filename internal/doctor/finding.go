package doctor

import (
	"slices"

	"github.com/hubgate/hubgate/internal/setting"
)

func ok(part, detail string) setting.Finding {
	return setting.Finding{Part: part, Status: setting.OK, Detail: detail}
}

// warning returns a finding that does not fail the check; where is the key or the place that has to be changed.
func warning(part, detail, cure, where string) setting.Finding {
	return setting.Finding{Part: part, Status: setting.Warning, Detail: detail, Cure: cure, Where: where}
}

func failed(part, detail, cure, where string) setting.Finding {
	return setting.Finding{Part: part, Status: setting.Failed, Detail: detail, Cure: cure, Where: where}
}

// unique returns each element once, in the order of the first ones.
func unique[E comparable](list []E) (once []E) {
	for _, e := range list {
		if !slices.Contains(once, e) {
			once = append(once, e)
		}
	}
	return once
}
