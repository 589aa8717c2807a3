"""YOLOv5 with anchors: the models of the yolov5 repository, for ultralytics' trainer, and the files that it wrote."""
