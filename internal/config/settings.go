package config

import (
	"fmt"

	"gistdeal"
)

// settingVariables are the variables that decide a setting.
var settingVariables = map[gistdeal.Setting]string{
	gistdeal.SettingPipeline: "GISTDEAL_PIPELINE", gistdeal.SettingStage: "GISTDEAL_STAGE", gistdeal.SettingOwner: "GISTDEAL_OWNER",
	gistdeal.SettingBackfill: "GISTDEAL_BACKFILL", gistdeal.SettingApprovalThreshold: "GISTDEAL_APPROVAL_THRESHOLD",
	gistdeal.SettingDailyLimit: "GISTDEAL_DAILY_LIMIT",
}

// locked returns the settings that a variable decides.
func (p *parser) locked() map[gistdeal.Setting]string {
	locked := map[gistdeal.Setting]string{}
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
func (c Config) unlocked(setting gistdeal.Setting, value any) any {
	if c.Locked[setting] == "" {
		return unlocked(fmt.Sprint(value))
	}
	return value
}
