package goldentest

import (
	"fmt"
	"slices"
	"strings"
)

// rulesOfTheWay are those of load balancer, names, certificates and CloudFront.
func rulesOfTheWay() []rule {
	return []rule{
		{
			"times of a load balancer", "elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html",
			all("aws_lb", within("idle_timeout", 1, 4000)),
			[]change{{"aws_lb.balancer", "idle_timeout", 5000.0}},
		},
		{
			"times of a target group", "elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html",
			all("aws_lb_target_group", first(within("deregistration_delay", 0, 3600), within("slow_start", 0, 900))),
			[]change{{"aws_lb_target_group.app", "deregistration_delay", "4000"}, {"aws_lb_target_group.app", "slow_start", 1000.0}},
		},
		{
			"health checks", "elasticloadbalancing/latest/application/target-group-health-checks.html",
			all("aws_lb_target_group", first(
				within("health_check.0.interval", 5, 300), within("health_check.0.timeout", 2, 120),
				within("health_check.0.healthy_threshold", 2, 10), within("health_check.0.unhealthy_threshold", 2, 10),
				func(r resource) string {
					if r.number("health_check.0.timeout", 5) >= r.number("health_check.0.interval", 30) {
						return "waits for an answer longer than until the next check"
					}
					if port := r.text("health_check.0.port"); port != "" && port != "traffic-port" && port != r.text("port") {
						return "is checked at port " + port + ", which no group opens"
					}
					return ""
				},
				form("health_check.0.path", `/[!-~]*`, 1024), form("health_check.0.matcher", `[2-4][0-9]{2}([,-][2-4][0-9]{2})*`, 100))),
			[]change{
				{"aws_lb_target_group.app", "health_check.0.timeout", 30.0},
				{"aws_lb_target_group.app", "health_check.0.interval", 301.0},
				{"aws_lb_target_group.app", "health_check.0.unhealthy_threshold", 11.0},
				{"aws_lb_target_group.app", "health_check.0.path", "readyz"},
				{"aws_lb_target_group.app", "health_check.0.matcher", "200-599"},
				{"aws_lb_target_group.app", "health_check.0.port", "8050"},
			},
		},
		{
			"a load balancer listens once at a port", "elasticloadbalancing/latest/APIReference/API_CreateListener.html",
			unique(func(r resource) string { return r.text("load_balancer_arn") + " " + r.text("port") }, "aws_lb_listener"),
			[]change{{"aws_lb_listener.http", "port", 443.0}},
		},
		{
			"HTTPS has a validated certificate and a policy, HTTP neither", "elasticloadbalancing/latest/application/create-https-listener.html",
			all("aws_lb_listener", func(r resource) string {
				secure := r.text("protocol") == "HTTPS"
				if secure != (r.text("certificate_arn") != "") || secure != (r.text("ssl_policy") != "") {
					return "has a certificate or a policy without HTTPS, or HTTPS without them"
				}
				if secure && !strings.Contains(r.text("certificate_arn"), "aws_acm_certificate_validation.") {
					return "takes a certificate that may not be validated yet"
				}
				return ""
			}),
			[]change{
				{"aws_lb_listener.https", "certificate_arn", "known after apply, from aws_acm_certificate.api.arn"},
				{"aws_lb_listener.https", "protocol", "HTTP"},
			},
		},
		{
			"a redirect leads elsewhere and keeps the way", "elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html",
			all("aws_lb_listener", func(r resource) string {
				if r.at("default_action.0.redirect") == nil {
					return ""
				}
				for name, kept := range map[string]string{"host": "#{host}", "path": "/#{path}", "query": "#{query}"} {
					if text := r.text("default_action.0.redirect.0." + name); text != "" && text != kept {
						return fmt.Sprintf("redirects to %q as %s", text, name)
					}
				}
				if r.text("default_action.0.redirect.0.protocol") == r.text("protocol") && r.text("default_action.0.redirect.0.port") == r.text("port") {
					return "redirects to itself"
				}
				return form("default_action.0.redirect.0.status_code", "HTTP_30[12]", 8)(r)
			}),
			[]change{
				{"aws_lb_listener.http", "default_action.0.redirect.0.path", "/"},
				{"aws_lb_listener.http", "default_action.0.redirect.0.host", "www.example.com"},
				{"aws_lb_listener.http", "default_action.0.redirect.0.status_code", "HTTP_307"},
			},
		},
		{
			"a rule of a listener has a number of its own", "elasticloadbalancing/latest/APIReference/API_CreateRule.html",
			func(p reviewedPlan) []string {
				return append(unique(func(r resource) string { return r.text("listener_arn") + " " + r.text("priority") }, "aws_lb_listener_rule")(p),
					all("aws_lb_listener_rule", first(within("priority", 1, 50000), func(r resource) string {
						values := r.list("condition.0.path_pattern.0.values")
						if len(values) == 0 || len(values) > 5 {
							return "has no condition, or more than five values"
						}
						for _, v := range values {
							if len(fmt.Sprint(v)) > 128 {
								return "has a path of more than 128 characters"
							}
						}
						return ""
					}))(p)...)
			},
			[]change{{"aws_lb_listener_rule.acme", "priority", 50001.0}, {"aws_lb_listener_rule.acme", "condition.0.path_pattern.0.values", []any{"/" + long}}},
		},
		{
			"a load balancer passes on whom it saw", "elasticloadbalancing/latest/application/x-forwarded-headers.html",
			all("aws_lb", func(r resource) string {
				if mode := r.text("xff_header_processing_mode"); mode != "" && mode != "append" {
					return "has X-Forwarded-For as the client wrote it, or not at all"
				}
				if r.text("desync_mitigation_mode") == "monitor" {
					return "passes on requests that two servers understand in two ways"
				}
				return ""
			}),
			[]change{{"aws_lb.balancer", "xff_header_processing_mode", "preserve"}, {"aws_lb.balancer", "desync_mitigation_mode", "monitor"}},
		},
		{
			"a name has one record of a type", "Route53/latest/DeveloperGuide/resource-record-sets-values-basic.html",
			func(p reviewedPlan) []string {
				return append(unique(func(r resource) string { return r.text("zone_id") + r.text("name") + " " + r.text("type") }, "aws_route53_record")(p),
					all("aws_route53_record", first(within("ttl", 0, 172800), func(r resource) string {
						if (r.at("alias") == nil) == (r.at("records") == nil) {
							return "is an alias and has records, or neither"
						}
						if r.at("alias") != nil && r.at("ttl") != nil {
							return "is an alias with a time to live"
						}
						return ""
					}))(p)...)
			},
			[]change{{`aws_route53_record.page["AAAA"]`, "type", "A"}, {"aws_route53_record.api", "ttl", 300.0}, {"aws_route53_record.api", "records", []any{"10.0.0.1"}}},
		},
		{
			"records are in their zone", "Route53/latest/APIReference/API_ChangeResourceRecordSets.html",
			func(p reviewedPlan) (broken []string) {
				page := resource(p.Resources["aws_cloudfront_distribution.page"].(map[string]any)).text("aliases.0") //nolint:forcetypeassert // It is in each plan.
				_, domain, _ := strings.Cut(page, ".")
				p.each("aws_route53_record", func(address string, r resource) {
					if name := r.text("name"); !strings.HasPrefix(name, "known after") && !strings.HasSuffix(name, "."+domain) {
						broken = append(broken, address+" is "+name)
					}
				})
				return broken
			},
			[]change{{"aws_route53_record.api", "name", "api-challenge.example.org"}},
		},
		{
			"CloudFront's names are in its certificate, which is validated", "AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html",
			func(p reviewedPlan) (broken []string) {
				names := []string{}
				p.each("aws_acm_certificate", func(address string, r resource) {
					if address == "aws_acm_certificate.page" {
						names = append(names, r.text("domain_name"))
					}
				})
				p.each("aws_cloudfront_distribution", func(address string, r resource) {
					for _, alias := range r.list("aliases") {
						if !slices.Contains(names, fmt.Sprint(alias)) {
							broken = append(broken, fmt.Sprint(address, " has the name ", alias, ", its certificate ", names))
						}
					}
					if !strings.Contains(r.text("viewer_certificate.0.acm_certificate_arn"), "aws_acm_certificate_validation.page") {
						broken = append(broken, address+" takes a certificate that may not be validated yet")
					}
				})
				return broken
			},
			[]change{
				{"aws_cloudfront_distribution.page", "aliases", []any{"www.example.com"}},
				{"aws_cloudfront_distribution.page", "viewer_certificate.0.acm_certificate_arn", "known after apply, from aws_acm_certificate.page.arn"},
			},
		},
		{
			"limits of a distribution", "AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html, repost.aws/knowledge-center/cloudfront-custom-origin-response",
			all("aws_cloudfront_distribution", func(r resource) string {
				origins := map[string]bool{}
				for i := range r.list("origin") {
					at := fmt.Sprintf("origin.%d.", i)
					origins[r.text(at+"origin_id")] = true
					for _, time := range []string{"origin_read_timeout", "origin_keepalive_timeout"} {
						if n := r.number(at+"custom_origin_config.0."+time, 1); n < 1 || n > 60 {
							return fmt.Sprint(time, " is ", n, ", and 60 at the most in an account whose quota nobody raised")
						}
					}
				}
				paths := map[string]bool{}
				behaviors := append(slices.Clone(r.list("ordered_cache_behavior")), r.list("default_cache_behavior")...)
				if len(behaviors) > 25 {
					return "has more than 25 behaviours"
				}
				for _, b := range behaviors {
					behavior := resource(b.(map[string]any)) //nolint:forcetypeassert // It is a block.
					path := behavior.text("path_pattern")
					if paths[path] || len(path) > 255 {
						return "has the path " + path + " twice, or it is too long"
					}
					paths[path] = true
					if !origins[behavior.text("target_origin_id")] {
						return "has no origin " + behavior.text("target_origin_id")
					}
					for _, method := range behavior.list("cached_methods") {
						if !slices.Contains(behavior.list("allowed_methods"), method) {
							return fmt.Sprint("caches ", method, ", which it refuses")
						}
					}
				}
				if strings.HasPrefix(r.text("default_root_object"), "/") {
					return "has a root object that begins with a slash"
				}
				return form("comment", ".*", 128)(r)
			}),
			[]change{
				{"aws_cloudfront_distribution.page", "origin.0.custom_origin_config", []any{map[string]any{"origin_read_timeout": 200.0}}},
				{"aws_cloudfront_distribution.page", "ordered_cache_behavior.0.target_origin_id", "balancer"},
				{"aws_cloudfront_distribution.page", "ordered_cache_behavior.0.path_pattern", "/user/*"},
				{"aws_cloudfront_distribution.page", "default_root_object", "/index.html"},
				{"aws_cloudfront_distribution.page", "comment", long},
			},
		},
		{
			"a page's bucket is read by CloudFront alone and signed", "AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html",
			all("aws_cloudfront_origin_access_control", func(r resource) string {
				if r.text("signing_behavior") != "always" || r.text("signing_protocol") != "sigv4" || r.text("origin_access_control_origin_type") != "s3" {
					return "does not sign: each file is a 403"
				}
				return ""
			}),
			[]change{{"aws_cloudfront_origin_access_control.page", "signing_behavior", "no-override"}},
		},
	}
}
