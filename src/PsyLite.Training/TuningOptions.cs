namespace PsyLite.Training;

/// <summary>Low-rank adapters (arXiv 2106.09685): each frozen W acts as W + alpha / r * B A, with dropout before A and no bias.</summary>
/// <param name="Rank">r.</param>
/// <param name="Dropout">Share of the inputs of A that is dropped in training.</param>
/// <param name="Output">Whether the head <c>output</c> has one too; wqkv, wo, w1, w2 and w3 of every block always do.</param>
public sealed record LoraOptions(int Rank = 64, float Alpha = 16f, float Dropout = 0.1f, bool Output = false)
{
    /// <summary>Factor of B A.</summary>
    public float Scale => Alpha / Rank;

    internal LoraOptions Validated() => Rank > 0 && Alpha > 0 && Dropout is >= 0 and < 1
        ? this
        : throw new ArgumentException("lora.rank and lora.alpha must be positive and lora.dropout at least 0 and below 1.");
}

/// <summary>How the frozen weights under adapters are held.</summary>
public enum Quantisation
{
    /// <summary>Single precision.</summary>
    None,

    /// <summary>Every matrix in 16 bits, as HuggingFace folders have them.</summary>
    Bf16,

    /// <summary>QLoRA: the linear layers of the blocks in NF4 with double quantisation, embeddings and head in 16 bits.</summary>
    Nf4,
}

/// <summary>What of a decoder is trained, and at what cost of memory.</summary>
/// <param name="Lora">Null trains every weight.</param>
/// <param name="Quantisation">Of the frozen weights; without adapters there are none.</param>
/// <param name="Recompute">
/// Keeps only the input of each block and runs its forward pass again in the backward pass (activation checkpointing, arXiv 1604.06174).
/// </param>
public sealed record TuningOptions(LoraOptions? Lora = null, Quantisation Quantisation = Quantisation.None, bool Recompute = false)
{
    internal TuningOptions Validated()
    {
        Lora?.Validated();
        return Lora is not null || Quantisation == Quantisation.None
            ? this
            : throw new ArgumentException("quantised weights cannot be trained; add a lora part to the recipe or set quantisation to none.");
    }
}
