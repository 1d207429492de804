package plantest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gistdeal/infra/offline"
)

// plan is what is read here of a plan's JSON.
type plan struct {
	Configuration struct {
		RootModule struct {
			Resources []configured `json:"resources"`
		} `json:"root_module"`
	} `json:"configuration"`
	PlannedValues values `json:"planned_values"`
}

// values are the resources of a plan, or of a state.
type values struct {
	RootModule struct {
		Resources []resource `json:"resources"`
	} `json:"root_module"`
}

// configured is a resource as it is written, one for all its instances.
type configured struct {
	Address     string         `json:"address"`
	Mode        string         `json:"mode"`
	Expressions map[string]any `json:"expressions"`
	DependsOn   []string       `json:"depends_on"`
}

// resource is one instance with its values.
type resource struct {
	Address string         `json:"address"`
	Type    string         `json:"type"`
	Mode    string         `json:"mode"`
	Values  map[string]any `json:"values"`
}

func TestTheConfigurationIsFormattedAndValid(t *testing.T) {
	t.Parallel()
	f := offline.Copy(t)
	f.Must("fmt", "-check", "-diff", "-recursive", "-no-color")
	f.Must("validate", "-no-color")
}

func TestEachPromiseHoldsInAPlan(t *testing.T) {
	t.Parallel()
	f := offline.Copy(t)
	f.Must("test", "-no-color")
}

func TestAnApplyIsNotUndoneByTheNext(t *testing.T) {
	t.Parallel()
	f := offline.Copy(t)
	f.Must("test", "-no-color", "-test-directory=tests-apply")
}

// Also the last word on secrets: plan and state are searched as they lie on the disk.
func TestASecondPlanIsEmptyAndNoFileHoldsASecret(t *testing.T) {
	t.Parallel()
	f := installed(t)
	planned := f.Must("plan", "-no-color", "-input=false", "-out=plan") + f.Must("show", "-json", "plan")
	f.Must("apply", "-no-color", "-input=false", "plan")
	if said, ok := f.Run("plan", "-no-color", "-input=false", "-detailed-exitcode"); !ok {
		t.Errorf("a second plan changes something:\n%s", said)
	}
	files, err := filepath.Glob(f.Path + "/*tfstate*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no state: %v", err)
	}
	for _, name := range append(files, f.Path+"/plan") {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		planned += string(data)
	}
	if i := strings.Index(planned, "canary-"); i >= 0 {
		t.Errorf("a secret is in plan or state: %.200q", planned[max(0, i-100):])
	}
}

func TestWhatHasToWaitForSomethingWaitsForIt(t *testing.T) {
	t.Parallel()
	for _, problem := range unwired(planned(t, installed(t))) {
		t.Error(problem)
	}
}

// unwired says what does not wait for what it has to wait for, which shows in
// no value.
func unwired(p plan) (problems []string) {
	uses := map[string][]string{
		"aws_lb_listener.https":            {"aws_acm_certificate_validation.api.certificate_arn"},
		"aws_cloudfront_distribution.page": {"aws_acm_certificate_validation.page.certificate_arn"},
		"aws_autoscaling_group.machines":   {"aws_launch_template.machine.latest_version"},
	}
	waits := map[string][]string{
		"aws_autoscaling_group.machines": {
			"aws_lb_listener.http", "aws_lb_listener.https", "aws_lb_listener_rule.acme", "aws_route53_record.api",
			"aws_cloudfront_distribution.page", "aws_efs_mount_target.shared", "aws_iam_role_policy_attachment.machine", "aws_route.out",
			"aws_route_table_association.public", "aws_network_acl_rule.public_in", "aws_network_acl_rule.public_out",
			"aws_network_acl_rule.private_in", "aws_network_acl_rule.private_out",
			"aws_vpc_security_group_egress_rule.machines", "aws_vpc_security_group_egress_rule.machines_database",
			"aws_vpc_security_group_egress_rule.machines_file_system", "aws_vpc_security_group_ingress_rule.machines",
			"aws_vpc_security_group_ingress_rule.database", "aws_vpc_security_group_ingress_rule.file_system",
		},
	}
	for _, r := range p.Configuration.RootModule.Resources {
		referred := references(r.Expressions)
		for _, name := range uses[r.Address] {
			if !slices.Contains(referred, name) {
				problems = append(problems, r.Address+" does not take "+name)
			}
		}
		for _, name := range waits[r.Address] {
			if !slices.Contains(r.DependsOn, name) {
				problems = append(problems, r.Address+" does not wait for "+name)
			}
		}
	}
	return problems
}

// references are the names that a resource's expressions, however deep, refer to.
func references(expression any) (names []string) {
	switch e := expression.(type) {
	case map[string]any:
		for key, value := range e {
			if list, ok := value.([]any); ok && key == "references" {
				for _, name := range list {
					names = append(names, name.(string))
				}
				continue
			}
			names = append(names, references(value)...)
		}
	case []any:
		for _, value := range e {
			names = append(names, references(value)...)
		}
	}
	return names
}
