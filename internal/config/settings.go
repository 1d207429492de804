package config

import (
	"fmt"

	"gistdeal"
)

// settingVariables are the variables that decide a setting.
var settingVariables = map[gistdeal.Choice]string{
	gistdeal.ChoicePipeline: "GISTDEAL_PIPELINE", gistdeal.ChoiceStage: "GISTDEAL_STAGE", gistdeal.ChoiceOwner: "GISTDEAL_OWNER",
	gistdeal.ChoiceFirstScan: "GISTDEAL_BACKFILL", gistdeal.ChoiceFirstScanMax: "GISTDEAL_APPROVAL_THRESHOLD",
}

// locked returns the settings that a variable decides.
func (p *parser) locked() map[gistdeal.Choice]string {
	locked := map[gistdeal.Choice]string{}
	for setting, name := range settingVariables {
		if p.text(name, "") != "" {
			locked[setting] = name
		}
	}
	return locked
}

// unlocked is the default of a setting that can be changed while the program runs.
type unlocked string

// unlocked returns the value of a setting for Print. A default is printed as a
// comment: read back as a variable it would lock the setting.
func (c Config) unlocked(setting gistdeal.Choice, value any) any {
	if c.Locked[setting] == "" {
		return unlocked(fmt.Sprint(value))
	}
	return value
}
