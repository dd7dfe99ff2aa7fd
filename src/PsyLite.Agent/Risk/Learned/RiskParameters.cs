namespace PsyLite.Agent.Risk.Learned;

/// <summary>Parameters of the classifier as training hands them over: a linear part and a small network that read the same features.</summary>
/// <param name="Features">Hashes of the known features.</param>
/// <param name="Weights">[feature][output], row after row.</param>
/// <param name="Bias">One for each output.</param>
/// <param name="Network">The network beside the sum of weights.</param>
/// <param name="Slopes">[part][output]: p = σ(slope₀ · z₀ + slope₁ · z₁ + slope₂ · ln(windows) + offset), with z₀ the linear part's logit and z₁ the network's.</param>
public sealed record RiskParameters(uint[] Features, float[] Weights, float[] Bias, RiskNetwork Network, float[] Slopes, float[] Offsets);

/// <summary>
/// h₁ = tanh(<see cref="Gain"/> · Σ rows / √max(fewest, n)), h₂ = max(0, W₁h₁ + b₁), logits = W₂h₂ + b₂.
/// </summary>
/// <param name="Rows">[feature][width].</param>
/// <param name="Hidden">W₁ as [h₂][h₁].</param>
/// <param name="Top">W₂ as [output][h₂].</param>
public sealed record RiskNetwork(int Width, float Gain, float[] Rows, float[] Hidden, float[] HiddenBias, float[] Top, float[] TopBias);
