package github

import (
	"cmp"
	"slices"
	"time"

	"gistdeal"
)

// userNode is a user in the answer to a query.
type userNode struct {
	ID         string `json:"id"`
	DatabaseID int64  `json:"databaseId"`
	Login      string `json:"login"`
	Gists      *struct {
		TotalCount *int        `json:"totalCount"`
		Nodes      []*gistNode `json:"nodes"`
	} `json:"gists"`
}

// gistNode is a gist in the answer to a query. Its name is the id of the other API.
type gistNode struct {
	Name        string      `json:"name"`
	Description string      `json:"description"`
	CreatedAt   time.Time   `json:"createdAt"`
	UpdatedAt   time.Time   `json:"updatedAt"`
	IsFork      bool        `json:"isFork"`
	IsPublic    *bool       `json:"isPublic"`
	Files       []*fileNode `json:"files"`
}

// fileNode is a file of a gistNode.
type fileNode struct {
	Name     string `json:"name"`
	Size     int    `json:"size"`
	Language *struct {
		Name string `json:"name"`
	} `json:"language"`
}

// counted reports whether the answer has the number of the user's gists. It lacks that, and
// tells the cause elsewhere, if GitHub could not answer that part of the query.
func (u *userNode) counted() bool { return u.Gists != nil && u.Gists.TotalCount != nil }

// gists returns the gists of the user, of an answer with their number, the newest first. They are complete if they are as many
// as GitHub counts, and none has more files than were asked for. If one of them cannot be read,
// there are none.
func (u *userNode) gists() (gists []gistdeal.Gist, complete bool) {
	seen := map[string]bool{}
	complete = len(u.Gists.Nodes) == *u.Gists.TotalCount
	for _, n := range u.Gists.Nodes {
		if n == nil || !gistID.MatchString(n.Name) || seen[n.Name] || n.CreatedAt.IsZero() || n.IsPublic == nil || !*n.IsPublic {
			return nil, false
		}
		seen[n.Name] = true
		files, ok := n.files()
		complete = complete && ok
		gists = append(gists, gistdeal.Gist{
			ID: n.Name, OwnerID: u.DatabaseID, Description: n.Description, Files: files,
			CreatedAt: n.CreatedAt.UTC(), UpdatedAt: updated(n.CreatedAt, n.UpdatedAt), Fork: &n.IsFork,
		})
	}
	return gists, complete
}

// files returns the files sorted by name, and whether they are all and have names.
func (n *gistNode) files() (files []gistdeal.File, ok bool) {
	ok = len(n.Files) <= gistdeal.ProbeFiles
	files = make([]gistdeal.File, 0, len(n.Files))
	for _, f := range n.Files {
		if f == nil || f.Name == "" {
			return files, false
		}
		file := gistdeal.File{Name: f.Name, Size: f.Size}
		if f.Language != nil {
			file.Language = f.Language.Name
		}
		files = append(files, file)
	}
	slices.SortFunc(files, func(a, b gistdeal.File) int { return cmp.Compare(a.Name, b.Name) })
	return files, ok
}
