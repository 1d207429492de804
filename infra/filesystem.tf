# Files that the machines share: the challenges of the certificate authority, which
# can reach any machine, and the certificate, which it issues five times a week at
# most.

#tfsec:ignore:aws-efs-enable-at-rest-encryption -- it is; tfsec wants a key of our own, which costs more than the file system
resource "aws_efs_file_system" "shared" {
  count = var.shared_file_system ? 1 : 0

  creation_token = var.name
  encrypted      = true

  tags = { Name = var.name }
}

resource "aws_efs_mount_target" "shared" {
  count = var.shared_file_system ? 2 : 0

  file_system_id  = aws_efs_file_system.shared[0].id
  subnet_id       = aws_subnet.private[count.index].id
  security_groups = [aws_security_group.file_system[0].id]
}
