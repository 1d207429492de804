package pipedrive

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gistdeal"
)

// named is a pipeline or a stage.
type named struct {
	ID         int64  `json:"id"`
	Name       string `json:"name"`
	OrderNr    int    `json:"order_nr"`
	PipelineID int64  `json:"pipeline_id"` // of a stage
	Deleted    bool   `json:"is_deleted"`
}

// SetTarget replaces the target in the options. It takes effect with the next Prepare.
func (c *Client) SetTarget(t gistdeal.Target) { c.wantedTarget.Store(&t) }

// Pipelines lists the pipelines with their stages, and all stages, in Pipedrive's order.
func (c *Client) Pipelines(ctx context.Context) ([]gistdeal.AccessPipeline, []gistdeal.CatalogStage, error) {
	pipelines, err := c.listNamed(ctx, "/api/v2/pipelines", url.Values{"limit": {"500"}})
	if err != nil {
		return nil, nil, err
	}
	stages, err := c.listNamed(ctx, "/api/v2/stages", url.Values{"limit": {"500"}})
	if err != nil {
		return nil, nil, err
	}
	inOrder := func(a, b named) int { return cmp.Compare(a.OrderNr, b.OrderNr) }
	slices.SortStableFunc(pipelines, inOrder)
	slices.SortStableFunc(stages, inOrder)
	all, catalog := make([]gistdeal.AccessPipeline, len(pipelines)), []gistdeal.CatalogStage{}
	for i, p := range pipelines {
		all[i] = gistdeal.AccessPipeline{Name: p.Name, Stages: []string{}}
		for _, s := range stages {
			if s.PipelineID == p.ID {
				all[i].Stages = append(all[i].Stages, s.Name)
				catalog = append(catalog, gistdeal.CatalogStage{ID: s.ID, Name: s.Name, Pipeline: p.Name})
			}
		}
	}
	return all, catalog, nil
}

// findStage returns the id of the configured stage of new deals, or 0 for the account's
// default if neither a pipeline nor a stage is configured.
func (c *Client) findStage(ctx context.Context) (int64, error) {
	wantedTarget := c.wantedTarget.Load()
	if wantedTarget.Pipeline == "" && wantedTarget.Stage == "" {
		return 0, nil
	}
	query := url.Values{"limit": {"500"}}
	if wantedTarget.Pipeline != "" {
		pipelines, err := c.listNamed(ctx, "/api/v2/pipelines", url.Values{"limit": {"500"}})
		if err != nil {
			return 0, err
		}
		p, err := findByName(pipelines, wantedTarget.Pipeline, "pipeline", "GISTDEAL_PIPELINE")
		if err != nil {
			return 0, err
		}
		query.Set("pipeline_id", strconv.FormatInt(p.ID, 10))
	}
	stages, err := c.listNamed(ctx, "/api/v2/stages", query)
	if err != nil {
		return 0, err
	}
	if wantedTarget.Stage != "" {
		s, err := findByName(stages, wantedTarget.Stage, "stage", "GISTDEAL_STAGE")
		return s.ID, err
	}
	if len(stages) == 0 {
		return 0, gistdeal.Errorf(gistdeal.Unauthorized, "the Pipedrive pipeline %q has no stage: add one, or set GISTDEAL_PIPELINE", wantedTarget.Pipeline)
	}
	return slices.MinFunc(stages, func(a, b named) int { return cmp.Compare(a.OrderNr, b.OrderNr) }).ID, nil
}

func (c *Client) listNamed(ctx context.Context, path string, query url.Values) (all []named, err error) {
	for page, err := range pages[named](ctx, c, path, query) {
		if err != nil {
			return nil, err
		}
		for _, n := range page {
			if !n.Deleted {
				all = append(all, n)
			}
		}
	}
	return all, nil
}

// findByName returns the only element with a name, ignoring case. kind and variable are
// for the error if there is none or more than one.
func findByName(all []named, name, kind, variable string) (named, error) {
	var matches []named
	var names []string
	for _, n := range all {
		if strings.EqualFold(strings.TrimSpace(n.Name), strings.TrimSpace(name)) {
			matches = append(matches, n)
		}
		names = append(names, strconv.Quote(n.Name))
	}
	switch len(matches) {
	case 1:
		return matches[0], nil
	case 0:
		return named{}, gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive has no %s %q: set %s to one of %s", kind, name, variable, strings.Join(names, ", "))
	}
	return named{}, gistdeal.Errorf(gistdeal.Unauthorized, "Pipedrive has %d %ss named %q: name the pipeline in GISTDEAL_PIPELINE, or rename all but one", len(matches), kind, name)
}
