document.documentElement.dataset.quality = "approved";
