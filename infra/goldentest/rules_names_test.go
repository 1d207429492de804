package goldentest

import (
	"fmt"
	"regexp"
	"strings"
)

// form is a rule on the text at a path; no text is fine.
func form(path, pattern string, most int) func(resource) string {
	matches := regexp.MustCompile(`^(` + pattern + `)$`)
	return func(r resource) string {
		if text := r.text(path); text != "" && !strings.HasPrefix(text, "known after") && (len(text) > most || !matches.MatchString(text)) {
			return fmt.Sprintf("has %q as %s, not up to %d of %s", text, path, most, pattern)
		}
		return ""
	}
}

func named(r resource) string { return r.text("name") + r.text("name_prefix") }

// long is a name that is too long for everything.
var long = strings.Repeat("x", 300)

// rulesOfNames are the forms, lengths and uniqueness of names.
func rulesOfNames() []rule {
	return []rule{
		{
			"security groups have names of their own", "AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
			unique(named, "aws_security_group"),
			[]change{{"aws_security_group.copy", "", map[string]any{"name_prefix": "gistdeal-machines-"}}},
		},
		{
			"names and descriptions of security groups", "AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
			all("aws_security_group", first(
				form("name", `[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+`, 255),
				form("name_prefix", `[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+`, 255-26),
				form("description", `[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+`, 255),
				func(r resource) string {
					if strings.HasPrefix(named(r), "sg-") {
						return "begins with sg-"
					}
					return ""
				})),
			[]change{
				{"aws_security_group.machines", "name", "sg-machines"},
				{"aws_security_group.machines", "description", "The machine's group"},
				{"aws_security_group.machines", "description", long},
			},
		},
		{
			"descriptions of rules of groups", "AWSEC2/latest/APIReference/API_IpRange.html",
			all("aws_vpc_security_group_ingress_rule", form("description", `[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]+`, 255)),
			[]change{{`aws_vpc_security_group_ingress_rule.balancer["http"]`, "description", "What clients 'ask'"}},
		},
		{
			"target groups have names of their own", "elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html",
			unique(named, "aws_lb_target_group"),
			[]change{{"aws_lb_target_group.app", "name", "gistdeal-http-80"}},
		},
		{
			"a group of targets that has to be replaced gets another name", "a group in use cannot be deleted, and protocol and port of one cannot be changed",
			all("aws_lb_target_group", func(r resource) string {
				if of := "-" + strings.ToLower(r.text("protocol")) + "-" + r.text("port"); !strings.HasSuffix(r.text("name"), of) {
					return "is " + r.text("name") + ", and not of " + of
				}
				return ""
			}),
			[]change{{"aws_lb_target_group.app", "port", 8443.0}, {"aws_lb_target_group.app", "name", "gistdeal-app"}},
		},
		{
			"names of target groups", "elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html",
			all("aws_lb_target_group", form("name", `[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?`, 32)),
			[]change{{"aws_lb_target_group.app", "name", "gistdeal_app"}, {"aws_lb_target_group.app", "name", "gistdeal-with-a-name-that-is-too-long"}},
		},
		{
			"names of load balancers", "elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html",
			all("aws_lb", func(r resource) string {
				if strings.HasPrefix(r.text("name"), "internal-") {
					return "begins with internal-"
				}
				return form("name", `[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?`, 32)(r)
			}),
			[]change{{"aws_lb.balancer", "name", "internal-gistdeal"}, {"aws_lb.balancer", "name", "gistdeal-"}},
		},
		{
			"names of databases", "AmazonRDS/latest/APIReference/API_CreateDBInstance.html",
			all("aws_db_instance", first(
				form("identifier", `[a-z](-?[a-z0-9])*`, 63),
				form("db_name", `[A-Za-z][A-Za-z0-9]*`, 63),
				form("username", `[A-Za-z][A-Za-z0-9_]*`, 63),
				func(r resource) string {
					switch r.text("username") {
					case "admin", "rdsadmin", "postgres_admin", "pg_monitor", "rds_superuser":
						return "has a master user whose name RDS keeps for itself"
					}
					return ""
				})),
			[]change{
				{"aws_db_instance.database[0]", "identifier", "gistdeal--1"},
				{"aws_db_instance.database[0]", "db_name", "gist-deal"},
				{"aws_db_instance.database[0]", "username", "admin"},
			},
		},
		{
			"a last snapshot has a name that is new each time", "AmazonRDS/latest/APIReference/API_DeleteDBInstance.html",
			all("aws_db_instance", func(r resource) string {
				name := r.text("final_snapshot_identifier")
				if r.text("skip_final_snapshot") == "false" && !strings.HasPrefix(name, "known after apply") {
					return "would give two last snapshots the name " + name
				}
				return ""
			}),
			[]change{{"aws_db_instance.database[0]", "final_snapshot_identifier", "gistdeal-final"}},
		},
		{
			"names of groups of subnets", "AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html",
			all("aws_db_subnet_group", form("name", `[a-z0-9 ._-]+`, 255)),
			[]change{{"aws_db_subnet_group.database[0]", "name", "Gistdeal"}},
		},
		{
			"names of roles, policies and profiles", "IAM/latest/UserGuide/reference_iam-quotas.html",
			func(p reviewedPlan) []string {
				var broken []string
				for _, kind := range []string{"aws_iam_role", "aws_iam_policy", "aws_iam_instance_profile"} {
					most := map[string]int{"aws_iam_role": 64}[kind]
					if most == 0 {
						most = 128
					}
					broken = append(broken, all(kind, first(form("name", `[A-Za-z0-9+=,.@_-]+`, most), form("name_prefix", `[A-Za-z0-9+=,.@_-]+`, most-26)))(p)...)
				}
				return broken
			},
			[]change{{"aws_iam_role.machine", "name", long[:65]}, {"aws_iam_policy.machine", "name", "of machines"}},
		},
		{
			"names of parameters", "systems-manager/latest/APIReference/API_PutParameter.html",
			all("aws_ssm_parameter", func(r resource) string {
				if name := strings.ToLower(r.text("name")); strings.HasPrefix(name, "/aws") || strings.HasPrefix(name, "/ssm") {
					return "begins with a name that AWS keeps for itself"
				}
				return form("name", `(/[A-Za-z0-9_.-]+)+`, 1011)(r)
			}),
			[]change{{"aws_ssm_parameter.admin_token", "name", "/aws-gistdeal/admin-token"}, {"aws_ssm_parameter.admin_token", "name", "/gistdeal//admin token"}},
		},
		{
			"parameters have names of their own", "systems-manager/latest/APIReference/API_PutParameter.html",
			unique(named, "aws_ssm_parameter"),
			[]change{{"aws_ssm_parameter.admin_token", "name", "/gistdeal/pipedrive-api-key"}},
		},
		{
			"names of buckets", "AmazonS3/latest/userguide/bucketnamingrules.html",
			all("aws_s3_bucket", first(form("bucket_prefix", `[a-z0-9][a-z0-9.-]*`, 37), form("bucket", `[a-z0-9][a-z0-9.-]*[a-z0-9]`, 63))),
			[]change{{"aws_s3_bucket.page", "bucket_prefix", "Gistdeal-page-"}, {"aws_s3_bucket.page", "bucket_prefix", long[:38]}},
		},
		{
			"names of launch templates", "AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html",
			all("aws_launch_template", form("name", `[A-Za-z0-9().\-/_]{3,}`, 128)),
			[]change{{"aws_launch_template.machine", "name", "a machine"}},
		},
		{
			"names of logs", "AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html",
			all("aws_cloudwatch_log_group", form("name", `[A-Za-z0-9_/.#-]+`, 512)),
			[]change{{"aws_cloudwatch_log_group.log", "name", "/gistdeal:log"}},
		},
		{
			"alarms have names of their own", "AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
			unique(func(r resource) string { return r.text("alarm_name") }, "aws_cloudwatch_metric_alarm"),
			[]change{{`aws_cloudwatch_metric_alarm.alarm["day-spent"]`, "alarm_name", "gistdeal-deals-refused"}},
		},
		{
			"the first name of a certificate", "acm/latest/APIReference/API_RequestCertificate.html",
			all("aws_acm_certificate", form("domain_name", `[a-z0-9*.-]+`, 64)),
			[]change{{"aws_acm_certificate.page", "domain_name", "challenge." + long[:60] + ".com"}},
		},
		{
			"tags", "AWSEC2/latest/UserGuide/Using_Tags.html",
			func(p reviewedPlan) (broken []string) {
				for address, values := range p.Resources {
					r, _ := values.(map[string]any)
					tags, _ := r["tags_all"].(map[string]any)
					if len(tags) > 50 {
						broken = append(broken, address+" has more than 50 tags")
					}
					for key := range tags {
						if len(key) > 128 || strings.HasPrefix(strings.ToLower(key), "aws:") {
							broken = append(broken, address+" has the tag "+key)
						}
					}
				}
				return broken
			},
			[]change{{"aws_vpc.main", "tags_all", map[string]any{"aws:name": "gistdeal"}}},
		},
	}
}
