package goldentest

import (
	"fmt"
	"net/netip"
	"strings"
)

// rulesOfTheNetwork are those of subnets, lists and groups.
func rulesOfTheNetwork() []rule {
	return []rule{
		{
			"numbers of a list's rules are unique in a direction", "vpc/latest/userguide/nacl-rules.html",
			unique(func(r resource) string {
				return fmt.Sprint(r.text("network_acl_id"), " ", r.text("egress"), " ", r.text("rule_number"))
			}, "aws_network_acl_rule"),
			[]change{
				{`aws_network_acl_rule.public_in["https"]`, "rule_number", 100.0},
				{`aws_network_acl_rule.public_size["in"]`, "rule_number", 120.0},
			},
		},
		{
			"numbers of a list's rules", "AWSEC2/latest/APIReference/API_CreateNetworkAclEntry.html",
			all("aws_network_acl_rule", within("rule_number", 1, 32766)),
			[]change{{`aws_network_acl_rule.public_in["https"]`, "rule_number", 40000.0}},
		},
		{
			"ports have an order", "AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html",
			func(p reviewedPlan) (broken []string) {
				for _, kind := range []string{"aws_network_acl_rule", "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"} {
					broken = append(broken, all(kind, func(r resource) string {
						from, to := r.number("from_port", 0), r.number("to_port", 0)
						if from > to || to > 65535 {
							return fmt.Sprintf("is of ports %v to %v", from, to)
						}
						return ""
					})(p)...)
				}
				return broken
			},
			[]change{{`aws_vpc_security_group_ingress_rule.balancer["http"]`, "to_port", 79.0}},
		},
		{
			"a rule of a group has one source and no twin", "AWSEC2/latest/APIReference/API_AuthorizeSecurityGroupIngress.html",
			func(p reviewedPlan) (broken []string) {
				for _, kind := range []string{"aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule"} {
					broken = append(broken, unique(func(r resource) string {
						return strings.Join([]string{r.text("security_group_id"), r.text("ip_protocol"), r.text("from_port"), r.text("to_port"), r.text("cidr_ipv4"), r.text("referenced_security_group_id")}, " ")
					}, kind)(p)...)
					broken = append(broken, all(kind, func(r resource) string {
						if (r.text("cidr_ipv4") == "") == (r.text("referenced_security_group_id") == "") {
							return "has no source, or two"
						}
						return ""
					})(p)...)
				}
				return broken
			},
			[]change{
				{`aws_vpc_security_group_ingress_rule.balancer["https"]`, "", map[string]any{"security_group_id": "known after apply, from aws_security_group.balancer.id", "cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp", "from_port": 80.0, "to_port": 80.0}},
				{`aws_vpc_security_group_ingress_rule.machines["http"]`, "cidr_ipv4", "10.0.0.0/16"},
			},
		},
		{
			"subnets lie in their network, apart, and are /16 to /28", "vpc/latest/userguide/subnet-sizing.html",
			func(p reviewedPlan) (broken []string) {
				network := netip.MustParsePrefix(resource(p.Resources["aws_vpc.main"].(map[string]any)).text("cidr_block")) //nolint:forcetypeassert // It is in each plan.
				var seen []netip.Prefix
				p.each("aws_subnet", func(address string, r resource) {
					subnet, err := netip.ParsePrefix(r.text("cidr_block"))
					if err != nil || subnet.Masked() != subnet || subnet.Bits() < 16 || subnet.Bits() > 28 || !network.Overlaps(subnet) || subnet.Bits() < network.Bits() {
						broken = append(broken, fmt.Sprint(address, " is ", r.text("cidr_block")))
						return
					}
					for _, other := range seen {
						if other.Overlaps(subnet) {
							broken = append(broken, fmt.Sprint(address, " overlaps ", other))
						}
					}
					seen = append(seen, subnet)
				})
				return broken
			},
			[]change{
				{"aws_subnet.private[0]", "cidr_block", "10.1.10.0/24"},
				{"aws_subnet.private[0]", "cidr_block", "10.0.0.0/23"},
				{"aws_subnet.private[0]", "cidr_block", "10.0.10.0/29"},
			},
		},
		{
			"a load balancer's subnets are at least /27", "elasticloadbalancing/latest/application/application-load-balancers.html",
			all("aws_subnet", func(r resource) string {
				if prefix, err := netip.ParsePrefix(r.text("cidr_block")); r.text("map_public_ip_on_launch") == "true" && (err != nil || prefix.Bits() > 27) {
					return "is too small"
				}
				return ""
			}),
			[]change{{"aws_subnet.public[0]", "cidr_block", "10.0.0.0/28"}},
		},
		{
			"load balancer, database and file system are in two zones", "elasticloadbalancing/latest/application/application-load-balancers.html, AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html",
			func(p reviewedPlan) (broken []string) {
				for _, part := range []string{"public", "private"} {
					zones := map[string]bool{}
					p.each("aws_subnet", func(address string, r resource) {
						if strings.HasPrefix(address, "aws_subnet."+part+"[") {
							zones[r.text("availability_zone")] = true
						}
					})
					if len(zones) < 2 {
						broken = append(broken, fmt.Sprint(part, " subnets are in ", zones))
					}
				}
				return broken
			},
			[]change{{"aws_subnet.private[1]", "availability_zone", "us-east-1a"}, {"aws_subnet.public[1]", "availability_zone", "us-east-1a"}},
		},
		{
			"zones are of the region", "AWSEC2/latest/UserGuide/using-regions-availability-zones.html",
			func(p reviewedPlan) (broken []string) {
				region := ""
				p.each("aws_subnet", func(address string, r resource) {
					zone := r.text("availability_zone")
					if region == "" {
						region = zone[:max(0, len(zone)-1)]
					}
					if zone == "" || zone[:len(zone)-1] != region {
						broken = append(broken, address+" is in "+zone)
					}
				})
				return broken
			},
			[]change{{"aws_subnet.public[1]", "availability_zone", "us-east-2b"}},
		},
		{
			"names that resolve in the network need both settings", "vpc/latest/userguide/AmazonDNS-concepts.html",
			all("aws_vpc", func(r resource) string {
				if r.text("enable_dns_support") != "true" || r.text("enable_dns_hostnames") != "true" {
					return "has no names: the file system is mounted by one"
				}
				return ""
			}),
			[]change{{"aws_vpc.main", "enable_dns_support", false}},
		},
		{
			"a file system of all zones, with a mount target in each", "efs/latest/ug/accessing-fs.html",
			func(p reviewedPlan) (broken []string) {
				p.each("aws_efs_file_system", func(address string, r resource) {
					if r.text("availability_zone_name") != "" {
						broken = append(broken, address+" is in one zone, and its machines in two")
					}
					if mode := r.text("throughput_mode"); mode == "provisioned" {
						broken = append(broken, address+" pays for a throughput of its own")
					}
					targets := 0
					p.each("aws_efs_mount_target", func(string, resource) { targets++ })
					if targets != 2 {
						broken = append(broken, fmt.Sprint(address, " has ", targets, " mount targets"))
					}
				})
				return broken
			},
			[]change{
				{"aws_efs_file_system.shared[0]", "availability_zone_name", "us-east-1a"},
				{"aws_efs_file_system.shared[0]", "throughput_mode", "provisioned"},
				{"aws_efs_mount_target.shared[2]", "", map[string]any{}},
			},
		},
	}
}
