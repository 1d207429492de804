package plantest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gistdeal/infra/offline"
)

// plan is the part of a plan's JSON that the tests read.
type plan struct {
	Configuration struct {
		RootModule struct {
			Calls struct {
				Gistdeal struct {
					Module struct {
						Resources []configured `json:"resources"`
					} `json:"module"`
				} `json:"gistdeal"`
			} `json:"module_calls"`
		} `json:"root_module"`
	} `json:"configuration"`
	PlannedValues values `json:"planned_values"`
}

// values are the resources of a plan, or of a state.
type values struct {
	RootModule struct {
		Modules []struct {
			Resources []resource `json:"resources"`
		} `json:"child_modules"`
	} `json:"root_module"`
}

// resources are those of the module, with its own addresses: the root has none.
func (v values) resources() (all []resource) {
	for _, module := range v.RootModule.Modules {
		for _, r := range module.Resources {
			r.Address = strings.TrimPrefix(r.Address, "module.gistdeal.")
			all = append(all, r)
		}
	}
	return all
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
	f.In("root").Must("validate", "-no-color")
}

func TestEachPromiseHoldsInAPlan(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(root + "/infra/tests/*.tftest.hcl")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d test files, %v", len(files), err)
	}
	for _, name := range files {
		if filepath.Base(name) == "variables.tftest.hcl" {
			continue // See TestEachVariableRefusesABadValueAndSaysWhy.
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			offline.Copy(t).Must("test", "-no-color", "-filter=tests/"+filepath.Base(name))
		})
	}
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

// An apply may end halfway, and a destroy too: each is repeated.
func TestAPartOfAnInstallationIsCompletedAndAllOfItDestroyedTwice(t *testing.T) {
	t.Parallel()
	f := installed(t)
	f.Must("apply", "-no-color", "-input=false", "-auto-approve", "-target=module.gistdeal.aws_lb.balancer", "-target=module.gistdeal.aws_db_instance.database")
	f.Must("apply", "-no-color", "-input=false", "-auto-approve")
	if said, ok := f.Run("plan", "-no-color", "-input=false", "-detailed-exitcode"); !ok {
		t.Errorf("a plan after it changes something:\n%s", said)
	}
	f.Must("destroy", "-no-color", "-input=false", "-auto-approve", "-target=module.gistdeal.aws_autoscaling_group.machines")
	f.Must("destroy", "-no-color", "-input=false", "-auto-approve")
	if said := f.Must("destroy", "-no-color", "-input=false", "-auto-approve"); !strings.Contains(said, "0 destroyed") {
		t.Errorf("a second destroy says:\n%s", said)
	}
}

func TestTheSeedsValuesMakeTheSeedsMachines(t *testing.T) {
	t.Parallel()
	p := planned(t, installed(t), "-var-file=seed.tfvars")
	for _, r := range p.PlannedValues.resources() {
		var got, want string
		switch r.Address {
		case "aws_launch_template.machine":
			got, want = fmt.Sprint(r.Values["instance_type"], " ", r.Values["image_id"]), "t2.small ami-04b70fa74e45c3917"
		case "aws_autoscaling_group.machines":
			got, want = fmt.Sprint(r.Values["min_size"], r.Values["desired_capacity"], r.Values["max_size"]), "1 2 3"
		case "aws_subnet.public[0]", "aws_subnet.public[1]":
			got, want = fmt.Sprint(r.Values["availability_zone"]), "us-east-1"+map[string]string{"[0]": "a", "[1]": "b"}[r.Address[len(r.Address)-3:]]
		case "aws_route53_record.api":
			got, want = fmt.Sprint(r.Values["name"]), "api-challenge.techwithmarkus.com"
		default:
			continue
		}
		if got != want {
			t.Errorf("%s has %q, the seed %q", r.Address, got, want)
		}
	}
}

func TestWhatHasToWaitForSomethingWaitsForIt(t *testing.T) {
	t.Parallel()
	p := planned(t, installed(t))
	for _, problem := range append(unwired(p), untagged(p)...) {
		t.Error(problem)
	}
}

// unwired lists missing dependencies between resources, which no value shows.
func unwired(p plan) (problems []string) {
	usage := map[string][]string{
		"aws_ssm_parameter.pipedrive_api_key": {"var.pipedrive_api_key"},
		"aws_ssm_parameter.github_token":      {"var.github_token"},
		"aws_ssm_parameter.database_password": {"var.database_password"},
		"aws_ssm_parameter.admin_token":       {"var.admin_token"},
		"aws_lb_listener.https":               {"aws_acm_certificate_validation.api.certificate_arn"},
		"aws_cloudfront_distribution.page":    {"aws_acm_certificate_validation.page.certificate_arn"},
		"aws_autoscaling_group.machines":      {"aws_launch_template.machine.latest_version"},
	}
	waits := map[string][]string{
		"aws_efs_mount_target.shared": {"aws_efs_file_system_policy.shared"},
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
	for _, r := range p.Configuration.RootModule.Calls.Gistdeal.Module.Resources {
		referred := references(r.Expressions)
		if !slices.Contains(known, r.Address) && r.Mode == "managed" {
			problems = append(problems, "nothing is promised of "+r.Address)
		}
		kind, _, _ := strings.Cut(r.Address, ".")
		for _, argument := range aside[kind] {
			if _, written := r.Expressions[argument]; written {
				problems = append(problems, r.Address+" has "+argument+", where nobody looks for it")
			}
		}
		for _, name := range usage[r.Address] {
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

// untagged lists the resources that would not have the tags of all: everything gets
// them but the page's files, which take no more than ten.
func untagged(p plan) (problems []string) {
	for _, r := range p.PlannedValues.resources() {
		if _, takes := r.Values["tags"]; !takes || r.Type == "aws_s3_object" {
			continue
		}
		if tags, _ := r.Values["tags"].(map[string]any); tags["Application"] != "gistdeal" {
			problems = append(problems, r.Address+" has not the tags")
		}
	}
	return problems
}

// aside are arguments that grant something beside the resources that are there for it.
var aside = map[string][]string{
	"aws_security_group":         {"ingress", "egress"},
	"aws_default_security_group": {"ingress", "egress"},
	"aws_network_acl":            {"ingress", "egress"},
	"aws_route_table":            {"route"},
	"aws_iam_role":               {"managed_policy_arns", "inline_policy"},
	"aws_s3_bucket":              {"acl", "policy"},
}

// known lists the resources that assertions cover: an added resource, such as
// another rule or policy, could undo an assertion about the others.
var known = strings.Fields(`
	aws_acm_certificate.api aws_acm_certificate.page aws_acm_certificate_validation.api aws_acm_certificate_validation.page
	aws_autoscaling_group.machines aws_autoscaling_policy.load aws_budgets_budget.month aws_cloudfront_distribution.page
	aws_cloudfront_origin_access_control.page aws_cloudfront_response_headers_policy.page aws_cloudwatch_dashboard.overview
	aws_cloudwatch_log_group.log aws_cloudwatch_log_metric_filter.event aws_cloudwatch_metric_alarm.alarm aws_db_instance.database
	aws_db_subnet_group.database aws_default_security_group.none aws_efs_file_system.shared aws_efs_file_system_policy.shared aws_efs_mount_target.shared
	aws_iam_instance_profile.machine aws_iam_policy.machine aws_iam_role.machine aws_iam_role_policy_attachment.machine
	aws_internet_gateway.main aws_launch_template.machine aws_lb.balancer aws_lb_listener.http aws_lb_listener.https
	aws_lb_listener_rule.acme aws_lb_target_group.app aws_lb_target_group.http aws_network_acl.private aws_network_acl.public
	aws_network_acl_rule.private_in aws_network_acl_rule.private_out aws_network_acl_rule.public_in aws_network_acl_rule.public_out
	aws_network_acl_rule.public_size aws_route.out aws_route53_record.api aws_route53_record.page aws_route53_record.proof_api
	aws_route53_record.proof_page aws_route53_zone.made aws_route_table.private aws_route_table.public
	aws_route_table_association.private aws_route_table_association.public aws_s3_bucket.page aws_s3_bucket_ownership_controls.page
	aws_s3_bucket_policy.page aws_s3_bucket_public_access_block.page aws_s3_bucket_server_side_encryption_configuration.page
	aws_s3_bucket.logs aws_s3_bucket_lifecycle_configuration.logs aws_s3_bucket_ownership_controls.logs aws_s3_bucket_policy.logs
	aws_s3_bucket_public_access_block.logs aws_s3_bucket_server_side_encryption_configuration.logs aws_wafv2_web_acl.page
	aws_s3_object.page aws_security_group.balancer aws_security_group.database aws_security_group.file_system aws_security_group.machines
	aws_sns_topic.alarms aws_sns_topic_subscription.alarms aws_ssm_parameter.admin_token aws_ssm_parameter.database_password aws_ssm_parameter.github_token
	aws_ssm_parameter.pipedrive_api_key aws_ssm_parameter.origin_secret aws_subnet.private aws_subnet.public aws_vpc.main aws_vpc_security_group_egress_rule.balancer
	aws_vpc_security_group_egress_rule.machines aws_vpc_security_group_egress_rule.machines_database
	aws_vpc_security_group_egress_rule.machines_existing_database aws_vpc_security_group_egress_rule.machines_file_system
	aws_vpc_security_group_ingress_rule.balancer aws_vpc_security_group_ingress_rule.database
	aws_vpc_security_group_ingress_rule.file_system aws_vpc_security_group_ingress_rule.machines random_password.origin terraform_data.snapshot
`)

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
