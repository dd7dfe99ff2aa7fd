using System.Security.Cryptography;
using System.Text;
using PsyLite.Engine.Native;

namespace PsyLite.Engine;

/// <summary>What a stored conversation's states depend on: the weights and what is added to them, how they are cached, and the library that computes them.</summary>
internal static class ModelIdentity
{
    private const int Samples = 64;
    private const int SampleBytes = 1 << 16;

    /// <summary>A hash of the file's length, its beginning, samples all through it, and the plan. Hashing gigabytes at every start would cost more than it tells.</summary>
    public static byte[] Of(LlamaModel model)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var plan = model.Plan;
        hash.AppendData(Encoding.UTF8.GetBytes(
            $"{LlamaLibrary.Current.Version}|{model.FileBytes}|{plan.KvCache}|{plan.FlashAttention}|{plan.SharedCells}|{(plan.SharedCells ? 1 : plan.Sequences)}"));
        foreach (var adapter in model.Adapters)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"|{adapter.Scale}|"));
            using var added = File.OpenRead(adapter.Path);
            hash.AppendData(SHA256.HashData(added));
        }

        using var file = File.OpenHandle(model.Path);
        var buffer = new byte[SampleBytes];
        var step = Math.Max((model.FileBytes - SampleBytes) / (Samples - 1), SampleBytes);
        for (var at = 0L; at < model.FileBytes; at += step)
        {
            hash.AppendData(buffer, 0, RandomAccess.Read(file, buffer, at));
        }

        return hash.GetHashAndReset();
    }
}
