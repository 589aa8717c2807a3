# All images at once: docker buildx bake
# One, for CPUs: MMCV=cpu docker buildx bake det-mmyolo-tmi
# Each variable is read from the environment. null leaves it to dockerfiles/executor.dockerfile, which says what it means.

variable "REGISTRY" { default = "ymir-executors" }
variable "VERSION" { default = "0.2.0" }
variable "REVISION" { default = "unknown" }
variable "BASE" { default = null }
variable "LOCKS" { default = null }
variable "MMCV" { default = null }
variable "ARCHITECTURES" { default = null }
variable "JOBS" { default = null }
variable "WEIGHTS" { default = null }

group "default" {
  targets = ["executor"]
}

target "executor" {
  name = image
  matrix = {
    image = ["det-mmdetection-tmi", "det-mmyolo-tmi", "det-yolov5-tmi", "rot-mmrotate-tmi", "seg-all-in-one-tmi"]
  }
  dockerfile = "dockerfiles/executor.dockerfile"
  tags       = ["${REGISTRY}/${image}:${VERSION}"]
  args = {
    IMAGE         = image
    BASE          = BASE
    LOCKS         = LOCKS
    MMCV          = MMCV
    ARCHITECTURES = ARCHITECTURES
    JOBS          = JOBS
    WEIGHTS       = WEIGHTS
    VERSION       = VERSION
    REVISION      = REVISION
  }
}
