# What only a look at the whole module finds wrong.
variable "access_key" { type = string }

resource "terraform_data" "account" {
  inputs = var.access_key
}

output "credential" {
  sensitive = true
  value     = { username = var.access_key }
}
