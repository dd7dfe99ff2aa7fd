using PsyLite.Models;

namespace PsyLite.Training;

/// <summary>Useful floating-point operations of a training step: masked attention scores and logits without a label are none, nor is work done twice.</summary>
internal static class StepCost
{
    /// <param name="tokens">All tokens.</param>
    /// <param name="labelled">Tokens with a label.</param>
    /// <param name="pairs">Query-key pairs that a causal mask leaves.</param>
    public static double Flops(ModelConfig c, LoraOptions? lora, double tokens, double labelled, double pairs)
    {
        var shapes = TensorShape.Decoder(c);
        double blocks = shapes.Where(s => s.IsBlockLinear).Sum(s => s.Count), head = (double)c.VocabSize * c.HiddenSize;

        // 2 operations per weight and token forward, 2 for the gradient of the input, 2 for that of a weight that trains.
        var frozen = lora is null ? 6.0 : 4.0;
        var adapters = lora is null ? 0 : TensorShape.Adapters(c, lora with { Output = false }).Sum(s => (double)s.Count);
        var headAdapter = lora is { Output: true } ? (double)lora.Rank * (c.VocabSize + c.HiddenSize) : 0;
        return (tokens * ((frozen * blocks) + (6 * adapters))) + (labelled * ((frozen * head) + (6 * headAdapter))) + (12.0 * pairs * c.HiddenSize * c.Layers);
    }

    public static double Flops(ModelConfig config, LoraOptions? lora, TrainingBatch batch)
    {
        var pairs = 0.0;
        for (var i = 0; i < batch.SegmentStarts.Length; i++)
        {
            double length = (i + 1 < batch.SegmentStarts.Length ? batch.SegmentStarts[i + 1] : batch.Length) - batch.SegmentStarts[i];
            pairs += length * (length + 1) / 2;
        }

        return Flops(config, lora, batch.Length, Enumerable.Range(0, batch.Length).Count(t => batch.WeightOf(t) != 0f), pairs);
    }
}
