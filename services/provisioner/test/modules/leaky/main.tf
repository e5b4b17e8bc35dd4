# What must not be used: a credential that is not marked as a secret.
variable "access_key" { type = string }

output "credential" {
  value = { username = var.access_key }
}
