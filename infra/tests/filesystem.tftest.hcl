mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "file_system" {
  command = plan

  assert {
    condition     = length(aws_efs_file_system.shared) == 1 && aws_efs_file_system.shared[0].encrypted
    error_message = "Machines share an encrypted file system."
  }

  assert {
    condition     = length(aws_efs_mount_target.shared) == 2 && [for m in aws_efs_mount_target.shared : m.subnet_id] == aws_subnet.private[*].id && alltrue([for m in aws_efs_mount_target.shared : m.file_system_id == aws_efs_file_system.shared[0].id])
    error_message = "The file system can be mounted in both zones."
  }

  assert {
    condition     = anytrue([for s in jsondecode(aws_efs_file_system_policy.shared[0].policy).Statement : s.Effect == "Deny" && s.Principal == { AWS = "*" } && s.Action == "*" && s.Condition == { Bool = { "aws:SecureTransport" = "false" } }])
    error_message = "Nobody mounts the file system without TLS."
  }

  assert {
    condition     = [for s in jsondecode(aws_efs_file_system_policy.shared[0].policy).Statement : [toset(s.Action), s.Condition] if s.Effect == "Allow"] == [[toset(["elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"]), { Bool = { "elasticfilesystem:AccessedViaMountTarget" = "true" } }]]
    error_message = "Machines read and write files in the network, and nobody changes the file system by its policy."
  }
}

run "one_machine_alone" {
  command = plan

  variables {
    shared_file_system = false
    machines           = { min = 1, desired = 1, max = 1 }
  }

  assert {
    condition     = length(aws_efs_file_system.shared) == 0 && length(aws_efs_mount_target.shared) == 0 && length(aws_efs_file_system_policy.shared) == 0 && length(aws_security_group.file_system) == 0
    error_message = "One machine alone can do without the file system."
  }
}
