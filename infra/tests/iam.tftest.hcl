mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "rights" {
  command = plan

  variables {
    github_token    = "0123456789012345678901234567890123456789"
    secret_versions = { github_token = 1 }
  }

  assert {
    condition     = toset(flatten([for s in jsondecode(aws_iam_policy.machine.policy).Statement : s.Action])) == toset(["ssm:GetParameter", "secretsmanager:GetSecretValue", "logs:CreateLogStream", "logs:PutLogEvents", "ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"])
    error_message = "A machine may do nine things and no more."
  }

  assert {
    condition     = toset(flatten([for s in jsondecode(aws_iam_policy.machine.policy).Statement : s.Resource if contains(s.Action, "ssm:GetParameter")])) == toset([aws_ssm_parameter.pipedrive_api_key.arn, aws_ssm_parameter.admin_token.arn, aws_ssm_parameter.github_token[0].arn, aws_ssm_parameter.database_password[0].arn, aws_ssm_parameter.origin_secret.arn])
    error_message = "A machine may read its own parameters only."
  }

  assert {
    condition     = toset(flatten([for s in jsondecode(aws_iam_policy.machine.policy).Statement : s.Resource if contains(s.Action, "secretsmanager:GetSecretValue")])) == toset([aws_db_instance.database[0].master_user_secret[0].secret_arn])
    error_message = "A machine may read the secret of its database's master only."
  }

  assert {
    condition     = toset(flatten([for s in jsondecode(aws_iam_policy.machine.policy).Statement : s.Resource if anytrue([for action in s.Action : startswith(action, "logs:")])])) == toset(["${aws_cloudwatch_log_group.log.arn}:log-stream:*"])
    error_message = "A machine may write its own log only."
  }

  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_policy.machine.policy).Statement : alltrue([for action in s.Action : action == "ssm:UpdateInstanceInformation" || startswith(action, "ssmmessages:")]) if contains(s.Resource, "*")])
    error_message = "Only what Session Manager needs is granted on everything."
  }

  assert {
    condition     = alltrue([for s in jsondecode(aws_iam_policy.machine.policy).Statement : s.Effect == "Allow" && !anytrue([for action in s.Action : strcontains(action, "*")])])
    error_message = "No action has a wildcard."
  }

  assert {
    condition     = aws_iam_role_policy_attachment.machine.policy_arn == aws_iam_policy.machine.arn && aws_iam_role_policy_attachment.machine.role == aws_iam_role.machine.name
    error_message = "The role has the machine's own policy, not one of Amazon's."
  }

  assert {
    condition     = jsondecode(aws_iam_role.machine.assume_role_policy).Statement == [{ Action = "sts:AssumeRole", Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" } }]
    error_message = "Only EC2 may take the role."
  }

  assert {
    condition     = aws_iam_instance_profile.machine.role == aws_iam_role.machine.name && aws_launch_template.machine.iam_instance_profile[0].arn == aws_iam_instance_profile.machine.arn
    error_message = "Machines have the role by the instance profile."
  }
}

run "an_image_in_ecr" {
  command = plan

  variables {
    image = "210987654321.dkr.ecr.eu-west-1.amazonaws.com/crm/gistdeal:1.0.0@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_policy.machine.policy).Statement : s.Resource if contains(s.Action, "ecr:GetAuthorizationToken")] == [["*"]]
    error_message = "A machine may log in to the registry."
  }

  assert {
    condition     = [for s in jsondecode(aws_iam_policy.machine.policy).Statement : [s.Action, s.Resource] if contains(s.Action, "ecr:BatchGetImage")] == [[["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], ["arn:aws:ecr:eu-west-1:210987654321:repository/crm/gistdeal"]]]
    error_message = "A machine may pull its own image only."
  }

  assert {
    condition     = length(flatten([for s in jsondecode(aws_iam_policy.machine.policy).Statement : s.Action])) == 12 && !anytrue([for s in jsondecode(aws_iam_policy.machine.policy).Statement : anytrue([for action in s.Action : strcontains(action, "*")])])
    error_message = "A machine may pull an image, and no more than without it."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.machine.user_data), "aws ecr get-login-password --region eu-west-1 | docker login --username AWS --password-stdin 210987654321.dkr.ecr.eu-west-1.amazonaws.com")
    error_message = "A machine logs in to the registry of its image."
  }
}

run "a_database_that_exists" {
  command = plan

  variables {
    database_url_parameter = "/crm/database"
    database_cidr          = "192.0.2.10/32"
  }

  assert {
    condition     = contains(flatten([for s in jsondecode(aws_iam_policy.machine.policy).Statement : s.Resource if contains(s.Action, "ssm:GetParameter")]), "arn:aws:ssm:us-east-1:123456789012:parameter/crm/database") && !strcontains(aws_iam_policy.machine.policy, "secretsmanager")
    error_message = "A machine may read the parameter with its database's URL, and no database secret."
  }
}
