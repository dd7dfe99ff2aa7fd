using System.CommandLine;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using PsyLite.Engine;
using PsyLite.Options;
using PsyLite.Store;

namespace PsyLite.Commands;

/// <summary><c>psylite doctor</c>: what is here, what is missing, what to do next.</summary>
internal static class DoctorCommand
{
    public static Command Create()
    {
        var model = new ModelOptions();
        var command = new Command("doctor", "检查安装 · check the installation\n  psylite doctor");
        model.AddTo(command);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var options = model.Read(parsed);
            using var parts = Composition.Create(options);
            parts.Model.Start();
            await parts.Model.Settled.WaitAsync(cancellationToken);
            var rows = Rows(parts).ToList();
            var width = rows.Max(r => Width(r.Name));
            foreach (var (name, value) in rows)
            {
                Console.WriteLine($"{name}{new string(' ', width - Width(name))}  {value}");
            }

            if (parts.Model.Plan is { } plan)
            {
                PrintPlan(plan);
            }

            Console.WriteLine();
            foreach (var step in NextSteps(parts))
            {
                Console.WriteLine(step);
            }

            return parts.Model.Status == ModelStatus.Ready ? CommandBoundary.Done : CommandBoundary.Failed;
        });
        return command;
    }

    private static IEnumerable<(string Name, string Value)> Rows(Composition parts)
    {
        var options = parts.Options;
        yield return ("PsyLite", typeof(DoctorCommand).Assembly.GetName().Version!.ToString(3));
        yield return ("运行环境 runtime", $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}");
        yield return ("处理器 CPU", $"{Environment.ProcessorCount} 核 cores, {Instructions()}");
        var memory = GC.GetGCMemoryInfo();
        yield return ("内存 memory", $"{Gigabytes(memory.TotalAvailableMemoryBytes)}，已用 used {Gigabytes(memory.MemoryLoadBytes)}");
        yield return ("推理库 engine", EngineLibrary());
        yield return ("模型文件 model file", ModelFile(options));
        yield return ("模型 model", parts.Model.Description ?? $"不可用 not usable: {parts.Model.Problem}");
        yield return ("相声 crosstalk", parts.LibraryProblem is { } problem ? $"没有 none: {problem}" : $"{parts.Library.Pieces.Count} 段 pieces");
        yield return ("导入的相声 imported", ImportedPieces(options.CrosstalkIndex));
        yield return ("向量 embeddings", Embeddings(parts.Embedder));
        yield return ("地址 address", options.Urls + (options.ApiKey is null ? "" : "（接口需要密钥 API key set）"));
    }

    /// <summary>What the engine chose for this machine and this file, and why.</summary>
    private static void PrintPlan(MemoryPlan plan)
    {
        Console.WriteLine();
        Console.WriteLine($"内存计划 memory plan: {MemoryPlan.Gigabytes(plan.TotalBytes)} = 权重 weights {MemoryPlan.Gigabytes(plan.WeightBytes)} + 缓存 cache {MemoryPlan.Gigabytes(plan.CacheBytes)} + 计算 working {MemoryPlan.Gigabytes(plan.WorkingBytes)}");
        foreach (var choice in plan.Choices)
        {
            Console.WriteLine($"  {choice.Name,-15} {choice.Value,-8} {choice.Reason}");
        }
    }

    private static IEnumerable<string> NextSteps(Composition parts)
    {
        if (parts.Model.Status == ModelStatus.Ready)
        {
            yield return "一切就绪：./psylite serve，然后打开上面的地址。 · All set: ./psylite serve, then open the address above.";
            if (parts.Model.IsBuiltIn)
            {
                yield return "内置的是小型演示模型；换成 7B：./psylite model pull Juneup/internlm2.5_7b_distill:orpo_q4_k_m，再 ./psylite serve --model 同一名字 · The built-in model is a small demonstration; pull a 7B, then serve --model with the same name";
            }
        }
        else
        {
            yield return parts.Options.Engine != EngineKind.Llama
                ? "请启动远程引擎，或检查 --endpoint；危机回复不需要模型，一直可用。 · Start the engine there, or check --endpoint; replies in a crisis need no model."
                : parts.Model.IsBuiltIn
                ? "没有内置模型：重新运行 ./psylite 构建，或用 --model FILE.gguf 指定一个。危机回复不需要模型，一直可用。 · No built-in model: build again with ./psylite, or name one with --model FILE.gguf."
                : "请检查 --model 的文件，或去掉它以使用内置模型。 · Check the file of --model, or leave it out for the built-in model.";
        }
    }

    private static string Embeddings(InstalledEmbedder embedder) =>
        embedder.Generator is not null ? embedder.Description ?? "已安装 installed"
        : embedder.Problem is { } problem ? $"不可用，按词检索 not usable, pieces are found by their words: {problem}"
        : "没有安装，按词检索 none installed (PSYLITE_EMBEDDER): pieces are found by their words";

    private static string ImportedPieces(string path)
    {
        if (!File.Exists(path))
        {
            return "没有 none (psylite crosstalk import FILE)";
        }

        try
        {
            using var index = new PassageIndexReader(path);
            return $"{index.Facts.Passages} 段 pieces";
        }
        catch (Exception fault) when (fault is Microsoft.Data.Sqlite.SqliteException or InvalidDataException or IOException)
        {
            return $"读不出 not readable: {path}，重新导入 import again";
        }
    }

    private static string EngineLibrary()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "native");
        var files = Directory.Exists(folder) ? Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)).ToList() : [];
        if (files.Count == 0)
        {
            return "没有 llama.cpp：运行 ./psylite · llama.cpp is missing: run ./psylite";
        }

        var gpus = new[] { "cuda", "vulkan", "metal" }.Where(gpu => files.Exists(f => f.Contains(gpu, StringComparison.OrdinalIgnoreCase))).ToList();
        return $"llama.cpp, {(gpus.Count > 0 ? string.Join(", ", gpus) : "CPU")}";
    }

    private static string ModelFile(AppOptions options)
    {
        if (options.SendingNotice is { } notice)
        {
            return notice;
        }

        var file = new FileInfo(options.ModelPath);
        return file.Exists ? $"{file.FullName} ({file.Length / 1e6:0.0} MB)" : $"不存在 missing: {file.FullName}";
    }

    private static string Instructions() =>
        Avx512F.IsSupported ? "AVX-512" : Avx2.IsSupported ? "AVX2" : RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "NEON" : "SSE";

    private static string Gigabytes(long bytes) => $"{bytes / (double)(1 << 30):0.0} GiB";

    /// <summary>Columns in a terminal: Chinese characters take two.</summary>
    private static int Width(string text) => text.Sum(c => c > 0x2E80 ? 2 : 1);
}
