package app

import (
	"fmt"
	"strconv"

	"gistdeal"
	"gistdeal/internal/desk"
)

// choiceVariables are the variables that decide what a person could choose.
var choiceVariables = map[gistdeal.Choice]string{
	gistdeal.ChoicePipeline: "GISTDEAL_PIPELINE", gistdeal.ChoiceStage: "GISTDEAL_STAGE", gistdeal.ChoiceOwner: "GISTDEAL_OWNER",
	gistdeal.ChoiceFirstScan: "GISTDEAL_FIRST_SCAN", gistdeal.ChoiceFirstScanMax: "GISTDEAL_FIRST_SCAN_MAX",
}

// locked returns which choices a variable makes.
func (p *parser) locked() map[gistdeal.Choice]string {
	locked := map[gistdeal.Choice]string{}
	for c, name := range choiceVariables {
		if p.text(name, "") != "" {
			locked[c] = name
		}
	}
	return locked
}

// configured is what the configuration says of what a person may choose.
func (c Config) configured() desk.Configured {
	return desk.Configured{Locked: c.Locked, Values: map[gistdeal.Choice]string{
		gistdeal.ChoicePipeline: c.Aim.Pipeline, gistdeal.ChoiceStage: c.Aim.Stage, gistdeal.ChoiceOwner: c.Aim.Owner,
		gistdeal.ChoiceFirstScan: string(c.FirstScan), gistdeal.ChoiceFirstScanMax: strconv.Itoa(c.FirstScanMax),
	}}
}

// free is what is configured where a person may choose otherwise.
type free string

// orFree returns how a choice is printed: what nobody set would, if it were read
// again, take the choice away.
func (c Config) orFree(choice gistdeal.Choice, value any) any {
	if c.Locked[choice] == "" {
		return free(fmt.Sprint(value))
	}
	return value
}
