# The permissions of a machine: read its own secrets, write its own log, and use
# Session Manager. AmazonSSMManagedInstanceCore would also allow it to read every
# parameter of the account.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  parameter_arns = concat(
    [aws_ssm_parameter.pipedrive_api_key.arn, aws_ssm_parameter.admin_token.arn, aws_ssm_parameter.origin_secret.arn],
    aws_ssm_parameter.github_token[*].arn,
    aws_ssm_parameter.database_password[*].arn,
    var.database_url_parameter == "" ? [] : ["arn:${data.aws_partition.current.partition}:ssm:${var.region}:${data.aws_caller_identity.current.account_id}:parameter${var.database_url_parameter}"],
  )

  # Of an image in ECR: the host names account and region, the rest the repository.
  ecr            = try(regex("^(([0-9]{12})\\.dkr\\.ecr\\.([a-z0-9-]+)\\.amazonaws\\.com)/([^:@]+)", var.image), null)
  registry       = local.ecr == null ? "" : local.ecr[0]
  repository_arn = local.ecr == null ? "" : "arn:${data.aws_partition.current.partition}:ecr:${local.ecr[2]}:${local.ecr[1]}:repository/${local.ecr[3]}"

  statements = concat(
    [
      {
        Sid      = "ReadOwnParameters"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter"]
        Resource = local.parameter_arns
      },
      {
        Sid      = "WriteOwnLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.log.arn}:log-stream:*"]
      },
      {
        Sid    = "BeReachedBySessionManager"
        Effect = "Allow"
        Action = [
          "ssm:UpdateInstanceInformation",
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
        ]
        Resource = ["*"] # these actions know no resources
      },
    ],
    # A private ECR registry needs a login and a permission to pull.
    local.registry == "" ? [] : [
      {
        Sid      = "LogInToRegistry"
        Effect   = "Allow"
        Action   = ["ecr:GetAuthorizationToken"]
        Resource = ["*"] # this action knows no resources
      },
      {
        Sid      = "PullImage"
        Effect   = "Allow"
        Action   = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [local.repository_arn]
      },
    ],
    [for arn in local.database_secret_arns : {
      Sid      = "ReadPasswordOfDatabasesMaster"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [arn]
    }],
  )
}

resource "aws_iam_role" "machine" {
  name        = "${var.name}-machine"
  description = "Machines of ${var.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })

  tags = local.tags
}

# Should it be replaced, machines keep their rights meanwhile.
resource "aws_iam_policy" "machine" {
  name_prefix = "${var.name}-machine-"
  description = "Own secrets, own log, Session Manager"
  policy      = jsonencode({ Version = "2012-10-17", Statement = local.statements })

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_role_policy_attachment" "machine" {
  role       = aws_iam_role.machine.name
  policy_arn = aws_iam_policy.machine.arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_iam_instance_profile" "machine" {
  name = "${var.name}-machine"
  role = aws_iam_role.machine.name

  tags = local.tags
}
