# An installation: the module of the folder above, in the region of your choice.
# Variables, outputs and the call are in gistdeal.tf, which `make golden` writes.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.25"
    }
  }
}

provider "aws" {
  region = var.region
}
