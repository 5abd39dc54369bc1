"""The Sign Language MNIST benchmark: random forest and MLP on Spark MLlib, CNN on Horovod, and their leaderboard."""
