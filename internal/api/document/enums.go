package document

import (
	"fmt"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// enums are lists of values that get a schema of their own, by name, so that
// generated clients have one type for each. A field has one by a tag enum with all
// its values, or with its name alone.
var enums = map[string]struct{ description, values string }{
	"DealState":   {"The state of a deal, as in docs/api.md.", "awaiting_approval,queued,sending,created,failed,skipped"},
	"UserState":   {"Whether a user is scanned, and if not, why.", "active,paused,removed,gone"},
	"Scope":       {"What a token may do. Each scope includes those before it; feed opens only the Atom feeds.", "feed,read,write,admin"},
	"Outcome":     {"The outcome of an attempt. adopted: a lookup found the deal; not_found: lookups did not find it.", "created,refused,not_sent,adopted,not_found"},
	"EventType":   {"What happened, as in docs/api.md.", "gist.noticed,gist.edited,gist.deleted,gist.restored,deal.queued,deal.awaiting_approval,deal.postponed,deal.created,deal.updated,deal.relinked,deal.failed,deal.retried,deal.skipped,user.added,user.gone,user.back,user.renamed,user.removed,user.paused,user.resumed,pushes.paused,pushes.resumed,quota.spent,quota.restored,duplicate.found,audit.ended,webhook.disabled,leader.missed"},
	"RunKind":     {"The kind of a run.", "scan,sweep,push"},
	"SettingName": {"The name of a setting.", "pipeline,stage,owner,backfill,approval_threshold,daily_limit"},
}

// nameEnums replaces the lists of values in schemas by references to the named ones.
func nameEnums(doc *huma.OpenAPI) {
	schemas, names := doc.Components.Schemas.Map(), map[string]string{}
	for name, e := range enums {
		names[e.values], names[name] = name, name
	}
	for _, s := range schemas {
		for property, of := range s.Properties {
			if of.Type == huma.TypeArray && of.Items != nil {
				of.Items = named(of.Items, names)
			} else {
				s.Properties[property] = named(of, names)
			}
		}
	}
	for name, e := range enums {
		s := &huma.Schema{Type: huma.TypeString, Description: e.description}
		for value := range strings.SplitSeq(e.values, ",") {
			s.Enum = append(s.Enum, value)
		}
		s.PrecomputeMessages()
		schemas[name] = s
	}
}

// named returns a reference to the enum with the values of s, or s if none has them.
func named(s *huma.Schema, names map[string]string) *huma.Schema {
	values := make([]string, len(s.Enum))
	for i, value := range s.Enum {
		values[i] = fmt.Sprint(value)
	}
	name := names[strings.Join(values, ",")]
	if name == "" {
		return s
	}
	return &huma.Schema{Ref: "#/components/schemas/" + name, Description: s.Description}
}
