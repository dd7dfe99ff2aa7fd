using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>Owns a chain of llama.cpp's samplers.</summary>
internal sealed class SamplerHandle : SafeHandle
{
    private SamplerHandle(nint chain)
        : base(0, ownsHandle: true) => SetHandle(chain);

    public override bool IsInvalid => handle == 0;

    /// <summary>
    /// Penalties, top-k, top-p, min-p, temperature, draw; temperature 0 takes the likeliest token. Penalties look every
    /// candidate up in a table, so when they can only lower logits a first cut keeps the candidates that can still
    /// reach the top k, which gives the same result sooner.
    /// </summary>
    public static SamplerHandle Create(SamplingSettings settings, int vocabularySize)
    {
        var parameters = LlamaNative.DefaultSamplerChainParams();
        parameters.NoPerformance = 1;
        var chain = LlamaNative.InitSamplerChain(parameters);
        var greedy = settings.Temperature <= 0;
        var topK = greedy ? 1 : settings.TopK;
        if (settings.HasPenalties)
        {
            if (topK > 0 && settings.PenaltiesOnlyLower)
            {
                LlamaNative.AddToChain(chain, LlamaNative.TopKSampler(topK + settings.PenaltyWindow));
            }

            LlamaNative.AddToChain(chain, LlamaNative.PenaltySampler(
                vocabularySize, settings.PenaltyWindow, settings.RepeatPenalty, settings.FrequencyPenalty, settings.PresencePenalty));
        }

        if (greedy)
        {
            LlamaNative.AddToChain(chain, LlamaNative.GreedySampler());
            return new SamplerHandle(chain);
        }

        if (topK > 0)
        {
            LlamaNative.AddToChain(chain, LlamaNative.TopKSampler(topK));
        }

        if (settings.TopP < 1)
        {
            LlamaNative.AddToChain(chain, LlamaNative.TopPSampler(settings.TopP, 1));
        }

        if (settings.MinP > 0)
        {
            LlamaNative.AddToChain(chain, LlamaNative.MinPSampler(settings.MinP, 1));
        }

        LlamaNative.AddToChain(chain, LlamaNative.TemperatureSampler(settings.Temperature));
        LlamaNative.AddToChain(chain, LlamaNative.DrawSampler(settings.Seed));
        return new SamplerHandle(chain);
    }

    /// <summary>Draws from the logits of the i-th token of the last batch, and remembers the token for the penalties.</summary>
    public int Sample(ContextHandle context, int index) => LlamaNative.Sample(this, context, index);

    protected override bool ReleaseHandle()
    {
        LlamaNative.FreeSampler(handle);
        return true;
    }
}
