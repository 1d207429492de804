// Remedies: the place where the cause of a problem can be changed.

const all = [
  [/\bowner\b|\bdeactivated\b|user_id|owner_id/i, 'Choose another owner', '#/settings?focus=owner'],
  [/\bstage\b|stage_id/i, 'Choose another stage', '#/settings?focus=stage'],
  [/\bpipeline\b/i, 'Choose another pipeline', '#/settings?focus=pipeline'],
  [/\bpermission|\bforbidden\b|not allowed|scope/i, 'See what the API key may do', '#/settings'],
  [/\bfields?\b/i, 'Check the custom fields', '#/settings'],
  [/\bquota|\blimit\b/i, 'See the quotas', '#/quotas'],
];

// remedy returns the link for a problem: {text, href}, undefined without one.
export function remedy(problem) {
  const found = all.find(([pattern]) => pattern.test(problem));
  return found && { text: found[1], href: found[2] };
}
