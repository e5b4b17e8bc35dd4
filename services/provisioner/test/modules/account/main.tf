# Access to a room: a folder that stands for a target, with a file for each thing that is there.

variable "access_key" { type = string }
variable "role" { type = string }
variable "parameters" {
  type    = map(string)
  default = {}
}
# The folder.
variable "room" { type = string }
# What only the provisioner knows.
variable "token" {
  type    = string
  default = ""
}
# Where to stand still until the room has a file `go`.
variable "gate" {
  type    = string
  default = ""
}
# Which of the two things cannot be made.
variable "broken" {
  type    = string
  default = ""
}
variable "extra" {
  type    = bool
  default = false
}

resource "terraform_data" "password" {
  input = uuid()
  lifecycle {
    ignore_changes = [input]
  }
}

resource "terraform_data" "account" {
  input = { room = var.room, key = var.access_key, gate = var.gate }
  provisioner "local-exec" {
    command = "./make account"
    environment = {
      ROOM = var.room, KEY = var.access_key, GATE = var.gate, BROKEN = var.broken, TOKEN = var.token,
      TEXT = "${terraform_data.password.output}\n${lookup(var.parameters, "note", "")}"
    }
  }
  provisioner "local-exec" {
    when        = destroy
    command     = "./take account"
    environment = { ROOM = self.output.room, KEY = self.output.key, GATE = self.output.gate }
  }
}

resource "terraform_data" "badge" {
  input = { room = var.room, key = var.access_key, gate = var.gate, of = terraform_data.account.id }
  provisioner "local-exec" {
    command     = "./make badge"
    environment = { ROOM = var.room, KEY = var.access_key, GATE = var.gate, BROKEN = var.broken, TOKEN = var.token, TEXT = var.role }
  }
  provisioner "local-exec" {
    when        = destroy
    command     = "./take badge"
    environment = { ROOM = self.output.room, KEY = self.output.key, GATE = self.output.gate }
  }
}

resource "terraform_data" "extra" {
  count = var.extra ? 1 : 0
}

output "credential" {
  sensitive = true
  value     = { username = var.access_key, password = terraform_data.password.output }
}
