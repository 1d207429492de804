package goldentest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// metrics are those of AWS that alarms may use, with their dimensions:
// elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html,
// AmazonRDS/latest/UserGuide/rds-metrics.html.
var metrics = map[string][]string{
	"AWS/ApplicationELB HealthyHostCount":          {"LoadBalancer", "TargetGroup"},
	"AWS/ApplicationELB HTTPCode_Target_5XX_Count": {"LoadBalancer"},
	"AWS/ApplicationELB HTTPCode_ELB_5XX_Count":    {"LoadBalancer"},
	"AWS/RDS FreeStorageSpace":                     {"DBInstanceIdentifier"},
}

// rulesOfTheRest are those of watching, mail and buckets.
func rulesOfTheRest() []rule {
	return []rule{
		{
			"an alarm looks back a day at the most", "AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html",
			all("aws_cloudwatch_metric_alarm", func(r resource) string {
				period, periods := r.number("period", 0), r.number("evaluation_periods", 0)
				if int(period)%60 != 0 || period < 60 || period*periods > 86400 || periods < 1 {
					return fmt.Sprintf("looks at %v times %v seconds", periods, period)
				}
				return ""
			}),
			[]change{
				{`aws_cloudwatch_metric_alarm.alarm["sweep-late"]`, "evaluation_periods", 100.0},
				{`aws_cloudwatch_metric_alarm.alarm["sweep-late"]`, "period", 90.0},
			},
		},
		{
			"an alarm's metric is there, with its dimensions", "elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html",
			func(p reviewedPlan) (broken []string) {
				known := maps.Clone(metrics)
				p.each("aws_cloudwatch_log_metric_filter", func(_ string, r resource) {
					known[r.text("metric_transformation.0.namespace")+" "+r.text("metric_transformation.0.name")] = nil
				})
				p.each("aws_cloudwatch_metric_alarm", func(address string, r resource) {
					metric := r.text("namespace") + " " + r.text("metric_name")
					wanted, ok := known[metric]
					given := []string{}
					if dimensions, written := r.at("dimensions").(map[string]any); written {
						given = slices.Sorted(maps.Keys(dimensions))
					} else if r.at("dimensions") != nil {
						given = wanted // Known after an apply: the configuration has them.
					}
					if !ok || !slices.Equal(given, wanted) && len(given)+len(wanted) > 0 {
						broken = append(broken, fmt.Sprint(address, " is of ", metric, " by ", given))
					}
				})
				return broken
			},
			[]change{
				{`aws_cloudwatch_metric_alarm.alarm["database-space"]`, "namespace", "AWS/Aurora"},
				{`aws_cloudwatch_metric_alarm.alarm["deals-refused"]`, "metric_name", "deal-refused"},
				{`aws_cloudwatch_metric_alarm.alarm["database-space"]`, "dimensions", map[string]any{"DBInstance": "gistdeal"}},
			},
		},
		{
			"an alarm can fire", "a count is never negative, and silence is a state of its own",
			all("aws_cloudwatch_metric_alarm", func(r resource) string {
				compare, threshold := r.text("comparison_operator"), r.number("threshold", 0)
				if strings.HasPrefix(compare, "LessThan") && threshold <= 0 {
					return "fires below nothing"
				}
				if r.text("metric_name") == "FreeStorageSpace" && threshold < 1<<30 {
					return "fires at a few bytes: the metric counts bytes"
				}
				if strings.HasPrefix(compare, "LessThan") && r.text("treat_missing_data") != "breaching" {
					return "takes silence for good"
				}
				if !strings.Contains(r.text("alarm_actions"), "aws_sns_topic.alarms.arn") {
					return "tells nobody"
				}
				return ""
			}),
			[]change{
				{`aws_cloudwatch_metric_alarm.alarm["sweep-late"]`, "threshold", 0.0},
				{`aws_cloudwatch_metric_alarm.alarm["database-space"]`, "threshold", 2.0},
				{`aws_cloudwatch_metric_alarm.alarm["sweep-late"]`, "treat_missing_data", "notBreaching"},
				{`aws_cloudwatch_metric_alarm.alarm["sweep-late"]`, "alarm_actions", nil},
			},
		},
		{
			"logs are kept for a number of days that CloudWatch knows", "AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html",
			all("aws_cloudwatch_log_group", func(r resource) string {
				days := []float64{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
				if !slices.Contains(days, r.number("retention_in_days", 0)) {
					return fmt.Sprint("keeps them ", r.at("retention_in_days"), " days")
				}
				return ""
			}),
			[]change{{"aws_cloudwatch_log_group.log", "retention_in_days", 31.0}},
		},
		{
			"a filter's pattern and its silence", "AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html",
			all("aws_cloudwatch_log_metric_filter", first(form("pattern", `\{ .* \}`, 1024), func(r resource) string {
				if r.at("metric_transformation.0.default_value") != nil {
					return "counts 0 where silence must be missing"
				}
				return ""
			})),
			[]change{
				{`aws_cloudwatch_log_metric_filter.event["day-spent"]`, "pattern", "day spent"},
				{`aws_cloudwatch_log_metric_filter.event["day-spent"]`, "metric_transformation.0.default_value", "0"},
			},
		},
		{
			"mail is confirmed by a person who reads it", "sns/latest/api/API_Subscribe.html",
			all("aws_sns_topic_subscription", func(r resource) string {
				if r.text("protocol") != "email" {
					return "is by " + r.text("protocol")
				}
				return form("endpoint", `[^@ ]+@[^@ ]+\.[a-z]+`, 320)(r)
			}),
			[]change{{"aws_sns_topic_subscription.alarms", "protocol", "sms"}, {"aws_sns_topic_subscription.alarms", "endpoint", "you"}},
		},
		{
			"a firewall before CloudFront", "waf/latest/APIReference/API_CreateWebACL.html, waf/latest/developerguide/aws-managed-rule-groups-baseline.html",
			all("aws_wafv2_web_acl", first(form("name", `[A-Za-z0-9_-]+`, 128), form("description", `[A-Za-z0-9_+=:#@/,. -]+`, 256), func(r resource) string {
				if r.text("scope") != "CLOUDFRONT" {
					return "has the scope " + r.text("scope")
				}
				priorities := map[string]bool{}
				for i := range r.list("rule") {
					at := fmt.Sprintf("rule.%d.", i)
					if n := r.number(at+"statement.0.rate_based_statement.0.limit", 100); n < 100 {
						return fmt.Sprint("stops after ", n, " requests")
					}
					if name := r.text(at + "name"); priorities[r.text(at+"priority")] || name == "AWSManagedRulesCommonRuleSet" {
						return "has a priority twice, or refuses bodies of more than 8 KB: " + name
					}
					priorities[r.text(at+"priority")] = true
				}
				return ""
			})),
			[]change{
				{"aws_wafv2_web_acl.page[0]", "", map[string]any{"scope": "REGIONAL"}},
				{"aws_wafv2_web_acl.page[0]", "", map[string]any{"scope": "CLOUDFRONT", "rule": []any{map[string]any{"name": "AWSManagedRulesCommonRuleSet"}}}},
			},
		},
		{
			"a budget's notifications", "aws-cost-management/latest/APIReference/API_budgets_Notification.html",
			all("aws_budgets_budget", func(r resource) string {
				for i := range r.list("notification") {
					if n := len(r.list(fmt.Sprintf("notification.%d.subscriber_email_addresses", i))); n < 1 || n > 10 {
						return fmt.Sprint("tells ", n, " people")
					}
				}
				if n := len(r.list("notification")); n < 1 || n > 5 {
					return fmt.Sprint("has ", n, " notifications")
				}
				return ""
			}),
			[]change{{"aws_budgets_budget.month", "notification", nil}},
		},
		{
			"no bucket is open", "AmazonS3/latest/userguide/access-control-block-public-access.html",
			func(p reviewedPlan) (broken []string) {
				p.each("aws_s3_bucket", func(address string, _ resource) {
					part := strings.TrimPrefix(address, "aws_s3_bucket.")
					blocks, _ := p.Resources["aws_s3_bucket_public_access_block."+part].(map[string]any)
					for _, block := range []string{"block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"} {
						if blocks[block] != true {
							broken = append(broken, address+" lacks "+block)
						}
					}
				})
				return broken
			},
			[]change{{"aws_s3_bucket_public_access_block.page", "restrict_public_buckets", false}, {"aws_s3_bucket.other", "", map[string]any{}}},
		},
	}
}
