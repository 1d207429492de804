# Files that the machines share: the challenges of the certificate authority, which
# can reach any machine, and the certificate, which it issues five times a week at
# most.

#tfsec:ignore:aws-efs-enable-at-rest-encryption -- it is; tfsec wants a key of our own, which costs more than the file system
resource "aws_efs_file_system" "shared" {
  count = var.shared_file_system ? 1 : 0

  creation_token = var.name
  encrypted      = true

  tags = merge(local.tags, { Name = var.name })
}

# Nobody mounts it without TLS. The rest is what EFS allows without a policy: its
# security group lets in machines only.
resource "aws_efs_file_system_policy" "shared" {
  count = var.shared_file_system ? 1 : 0

  file_system_id = aws_efs_file_system.shared[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "FromTheNetwork"
        Effect    = "Allow"
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.shared[0].arn
        Principal = { AWS = "*" }
        Condition = { Bool = { "elasticfilesystem:AccessedViaMountTarget" = "true" } }
      },
      {
        Sid       = "NotWithoutTLS"
        Effect    = "Deny"
        Action    = "*"
        Resource  = aws_efs_file_system.shared[0].arn
        Principal = { AWS = "*" }
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

resource "aws_efs_mount_target" "shared" {
  count = var.shared_file_system ? 2 : 0

  file_system_id  = aws_efs_file_system.shared[0].id
  subnet_id       = aws_subnet.private[count.index].id
  security_groups = [aws_security_group.file_system[0].id]

  # Before the policy, it could be mounted without TLS.
  depends_on = [aws_efs_file_system_policy.shared]
}
