package gistdeal

// OnEdit is the effect of an edit of a gist on a value of its deal.
type OnEdit string

// The effects of edits.
const (
	EditLeave  OnEdit = ""       // nothing
	EditUpdate OnEdit = "update" // replace the value while it is the one that was last written
	EditNote   OnEdit = "note"   // write a note with the new value
)

// OnDelete is the effect on its deal of a gist's deletion, or of its becoming secret. No deal is
// ever deleted.
type OnDelete string

// The effects of deletions.
const (
	DeleteLeave OnDelete = ""      // nothing
	DeleteNote  OnDelete = "note"  // write a note
	DeleteStage OnDelete = "stage" // move an open deal to a stage
)

// Amendment is a claim to bring a deal up to date: its gist was edited or deleted since the deal
// was decided. Attempt and Owner are in all later writes about it, as in a Claim.
type Amendment struct {
	DecidedGist
	Content *Content // of the deal, as it was last written; nil for the content without rules
	Edited  bool     // the gist was edited
	Gone    bool     // GitHub does not list the gist any more
	Change  int64    // names the last of these changes
	Attempt int
	Owner   string
	// Intended are the values that an earlier attempt was about to write; nil if there was none.
	Intended *Intent
	// MayBeNoted reports that the note about this change may have been written.
	MayBeNoted bool
}

// Intent has the values that an attempt is about to write into a deal. It is stored before it is
// sent, so that they are recognised as our own after a lost answer.
type Intent struct {
	Content
	FromStage int64 `json:"from_stage,omitempty"` // of the deal before it is moved to StageID
}

// DealValues are the present values of a deal in Pipedrive.
type DealValues struct {
	Title    string
	StageID  int64
	Open     bool           // neither won nor lost
	Editable bool           // it exists, and it is neither archived nor hidden from the key's user
	Fields   map[string]any // by code
}

// DealChange has the new values of a deal. The zero value changes nothing.
type DealChange struct {
	Title   string       // "" leaves the title
	Fields  []FieldValue // the others stay
	StageID int64        // 0 leaves the stage
}

// Empty reports whether c changes nothing.
func (c DealChange) Empty() bool { return c.Title == "" && len(c.Fields) == 0 && c.StageID == 0 }
