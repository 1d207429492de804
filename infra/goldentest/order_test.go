package goldentest

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// needed matches the addresses of all that a first boot needs and that machines
// do not refer to: their network, their rights and the way of the authority's
// questions. The rest, as alarms and the page's files, may come later.
var needed = regexp.MustCompile(`^aws_(vpc_security_group_(in|e)gress_rule|network_acl_rule|route|route_table_association|efs_mount_target|` +
	`iam_role_policy_attachment|iam_role_policy|lb_listener|lb_listener_rule)\.|^aws_route53_record\.api$`)

// later are exceptions: a boot does without them.
var later = []string{"aws_network_acl_rule.public_size"}

// early returns the resources that the first machine would not wait for. AWS allows,
// routes and mounts nothing before they are there, and each is eventually
// consistent: the script repeats its first requests.
func (c configuration) early(t *testing.T) (missing []string) {
	t.Helper()
	text, err := c.normal(module)
	if err != nil {
		t.Fatal(err)
	}
	group := regexp.MustCompile(`(?ms)^resource "aws_autoscaling_group" "machines" \{\n.*?^  depends_on = \[(.*?)^  \]`).FindStringSubmatch(text)
	if group == nil {
		t.Fatal("machines wait for nothing")
	}
	var waits []string
	for name := range strings.SplitSeq(group[1], ",") {
		waits = append(waits, strings.TrimSpace(name))
	}
	for _, m := range regexp.MustCompile(`(?m)^resource "(\w+)" "(\w+)" \{$`).FindAllStringSubmatch(text, -1) {
		if address := m[1] + "." + m[2]; needed.MatchString(address) && !slices.Contains(waits, address) && !slices.Contains(later, address) {
			missing = append(missing, address)
		}
	}
	return missing
}

func TestMachinesWaitForAllThatAFirstBootNeeds(t *testing.T) {
	t.Parallel()
	c := read(t)
	if missing := c.early(t); len(missing) > 0 {
		t.Errorf("they do not wait for %q", missing)
	}
	with := c.edited(t, edit{"machines.tf", "    aws_efs_mount_target.shared,\n", ""})
	with["groups.tf"] += "\nresource \"aws_vpc_security_group_egress_rule\" \"more\" {}\n"
	if missing := with.early(t); !slices.Equal(missing, []string{"aws_efs_mount_target.shared", "aws_vpc_security_group_egress_rule.more"}) {
		t.Errorf("with two mistakes they do not wait for %q", missing)
	}
}
