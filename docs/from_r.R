# trialsim from R by the command line: needs the package jsonlite, and the program trialsim on the path.
library(jsonlite)

trialsim <- function(...) {
  said <- system2("trialsim", c(shQuote(c(...)), "--json"), stdout = TRUE)
  if (!is.null(attr(said, "status"))) stop("trialsim failed: the message stands above")
  fromJSON(said)
}

# 1. A design
found <- trialsim("find", "simon", "--p0", ".10", "--p1", ".30", "--alpha", ".05", "--beta", ".20")
optimal <- subset(found$designs, criterion == "optimal")
cat(sprintf("%s: alpha %.4f, power %.4f\n", optimal$design, optimal$type_i_error, optimal$power))

# 2. What the trial does, case by case
run <- trialsim("run", "configs/teaching.yaml", "--replicates", "2000")
for (case in names(run$cases)) {
  exact <- run$cases[[case]]$exact
  cat(sprintf("%-26s P(go) %.4f  EN %5.2f\n", case, exact$p_go, exact$en))
}

# 3. The analysis
final <- trialsim("analyse", "--design", "1/10,5/29", "--responses", "7", "--stage1", "3", "--p0", ".10")
primary <- final$sets$primary
cat(sprintf("UMVUE %.4f (%.4f to %.4f)\n", primary$estimate$value, primary$interval$low, primary$interval$high))
