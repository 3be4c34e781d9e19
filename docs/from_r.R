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

# 2. What the trial does, case by case: exact where it can be, else simulated with its standard error
if (!file.exists("teaching.yaml")) system2("trialsim", c("examples", "teaching"), stdout = FALSE)
p_go <- function(run) do.call(rbind, lapply(names(run$cases), function(case) {
  found <- run$cases[[case]]
  one <- if (is.null(found$exact)) found$simulated$p_go else list(estimate = found$exact$p_go, mcse = 0)
  data.frame(case, p_go = one$estimate, mcse = one$mcse, simulated = is.null(found$exact))
}))
print(p_go(trialsim("run", "teaching.yaml", "--replicates", "2000", "--force")), digits = 4)
system2("trialsim", c("init", "calendar_time", "timed.yaml"), stdout = FALSE)
print(p_go(trialsim("run", "timed.yaml", "--replicates", "2000", "--force")), digits = 4)

# 3. The analysis
final <- trialsim("analyse", "--design", "1/10,5/29", "--responses", "7", "--stage1", "3", "--p0", ".10")
primary <- final$sets$primary
cat(sprintf("UMVUE %.4f (%.4f to %.4f)\n", primary$estimate$value, primary$interval$low, primary$interval$high))
